//! igctl
