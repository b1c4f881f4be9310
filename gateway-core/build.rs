//! Compiles the protobuf files of `proto/` with protox, so that no `protoc`
//! need be installed.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(
        ["envoy/service/ext_proc/v3/external_processor.proto"],
        ["proto"],
    )?;
    tonic_prost_build::configure()
        // Bodies and header values are slices of the message as it arrived.
        .bytes(".")
        .include_file("proto.rs")
        .compile_fds(files)?;
    Ok(())
}
