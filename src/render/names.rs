//! The names that rows are about: folded, made visible, and cut where a terminal is narrow.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{grid::GAP, number::UNKNOWN};
use crate::{
    report::{Dimension, Report, Row},
    visible::visible,
};

/// Names are not cut below this width; a narrower terminal gets long lines.
pub(super) const NARROWEST_NAME: usize = 8;

/// The names of each row; on a terminal, which folds them, a model is written once for the rows below it, and a target
/// that equals its model is `=`.
pub(super) fn name_cells(report: &Report, folds: bool) -> Vec<Vec<String>> {
    let model_at = report.by.iter().position(|d| *d == Dimension::Model);
    let mut above: Option<&Row> = None;
    report
        .rows
        .iter()
        .map(|row| {
            let cells = report
                .by
                .iter()
                .enumerate()
                .map(|(i, dimension)| {
                    let repeats = i + 1 < report.by.len()
                        && above.is_some_and(|above| above.key[..=i] == row.key[..=i]);
                    let equal = *dimension == Dimension::Target
                        && model_at.is_some_and(|m| row.key[m] == row.key[i]);
                    match &row.key[i] {
                        _ if folds && repeats => String::new(),
                        Some(_) if folds && equal => "=".to_owned(),
                        Some(name) if name.is_empty() => "\"\"".to_owned(),
                        Some(name) => visible(name).into_owned(),
                        None => UNKNOWN.to_owned(),
                    }
                })
                .collect();
            above = Some(row);
            cells
        })
        .collect()
}

/// Cuts names in the middle so that all columns of names together fit. The longest lose first.
pub(super) fn cut_names(rows: &mut [Vec<String>], titles: &[String], room: usize) {
    let mut widths: Vec<usize> = titles
        .iter()
        .enumerate()
        .map(|(i, title)| {
            rows.iter()
                .map(|r| r[i].width())
                .max()
                .unwrap_or(0)
                .max(title.width())
        })
        .collect();
    let gaps = GAP * titles.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > room {
        let Some(widest) = widths.iter_mut().max().filter(|w| **w > NARROWEST_NAME) else {
            break;
        };
        *widest -= 1;
    }
    for row in rows {
        for (cell, width) in row.iter_mut().zip(&widths) {
            if cell.width() > *width {
                *cell = cut_middle(cell, *width);
            }
        }
    }
}

/// `meta-llama/Llama-3.1-8B-Instruct` → `meta-llam…Instruct`: both ends tell models apart.
fn cut_middle(text: &str, width: usize) -> String {
    let room = width.saturating_sub(1);
    let front: String = within(text.chars(), room.div_ceil(2)).collect();
    let mut back: Vec<char> = within(text.chars().rev(), room - front.width()).collect();
    back.reverse();
    format!("{front}…{}", back.into_iter().collect::<String>())
}

/// The first characters that are no wider together.
pub(super) fn within(
    chars: impl Iterator<Item = char>,
    width: usize,
) -> impl Iterator<Item = char> {
    let mut used = 0;
    chars.take_while(move |c| {
        used += c.width().unwrap_or(0);
        used <= width
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_in_the_middle_to_their_width() {
        let cut = cut_middle("meta-llama/Llama-3.1-8B-Instruct", 16);
        assert_eq!((cut.as_str(), cut.width()), ("meta-lla…nstruct", 16));
        let cut = cut_middle("模型模型模型-7b", 8);
        assert_eq!((cut.as_str(), cut.width()), ("模型…-7b", 8));
    }

    #[test]
    fn the_widest_column_loses_first() {
        let mut rows = vec![vec![
            "a-rather-long-model-name".to_owned(),
            "short".to_owned(),
        ]];
        cut_names(&mut rows, &["MODEL".to_owned(), "TARGET".to_owned()], 22);
        assert_eq!(rows, [["a-rathe…l-name", "short"]]);
    }
}
