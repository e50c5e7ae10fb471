//! Defines the text styles of figures: one font in two sizes.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::WIDTH;

/// The font of figures.
pub const FAMILY: &str = "DejaVu Sans";
/// plotters divides font sizes by this factor in SVG.
const SVG_SIZE: f64 = 1.24;
/// Text size in units of the canvas: 7.5 points.
pub const TEXT: f64 = 26.5 * SVG_SIZE;
/// Size of small text in units of the canvas: 6.5 points.
pub const SMALL: f64 = 23.0 * SVG_SIZE;
/// Mean width of a character relative to the text size, with a margin.
const CHARACTER: f64 = 0.59;

/// The style of black text of the given size.
pub fn words(size: f64) -> TextStyle<'static> {
    (FAMILY, size).into_text_style(&(WIDTH, WIDTH)).color(&BLACK)
}

/// Left-aligned text, vertically centred at the point.
pub fn left(size: f64) -> TextStyle<'static> {
    words(size).pos(Pos::new(HPos::Left, VPos::Center))
}

/// Right-aligned text, vertically centred at the point.
pub fn right(size: f64) -> TextStyle<'static> {
    words(size).pos(Pos::new(HPos::Right, VPos::Center))
}

/// Text centred at the point.
pub fn centred(size: f64) -> TextStyle<'static> {
    words(size).pos(Pos::new(HPos::Center, VPos::Center))
}

/// Text rotated to run upwards, centred at the point.
pub fn upwards(size: f64) -> TextStyle<'static> {
    centred(size).transform(FontTransform::Rotate270)
}

/// The approximate width of a text in units of the canvas.
pub fn width_of(text: &str, size: f64) -> i32 {
    (CHARACTER * size / SVG_SIZE * text.chars().count() as f64).ceil() as i32
}

/// Truncates a text to `width` and appends an ellipsis if it is too wide.
pub fn cut(text: &str, size: f64, width: i32) -> String {
    if width_of(text, size) <= width {
        return text.into();
    }
    let fit = (f64::from(width) / (CHARACTER * size / SVG_SIZE)) as usize;
    let kept: String = text.chars().take(fit.saturating_sub(1)).collect();
    format!("{}\u{2026}", kept.trim_end())
}

/// Breaks a text at spaces into lines of at most `width`.
pub fn wrapped(text: &str, size: f64, width: i32) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width_of(&format!("{line} {word}"), size) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_broken_at_spaces_and_cut_where_they_do_not_fit() {
        let width = width_of("five5 five5", SMALL);
        assert_eq!(wrapped("five5 five5 five5", SMALL, width), ["five5 five5", "five5"]);
        assert_eq!(cut("five5 five5", SMALL, width), "five5 five5");
        assert_eq!(cut("five5 five55", SMALL, width), "five5 five\u{2026}");
    }
}
