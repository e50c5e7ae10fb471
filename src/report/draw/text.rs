//! The text of figures: one font, two sizes.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::WIDTH;

/// The font that figures carry.
pub const FAMILY: &str = "DejaVu Sans";
/// plotters writes sizes divided by this into SVG.
const SVG_SIZE: f64 = 1.24;
/// Height of text in units of the canvas: 7.5 points.
pub const TEXT: f64 = 26.5 * SVG_SIZE;
/// Small text: 6.5 points.
pub const SMALL: f64 = 23.0 * SVG_SIZE;
/// Mean width of a character relative to the height of the text, with some room.
const CHARACTER: f64 = 0.59;

/// Text of some size in black.
pub fn words(size: f64) -> TextStyle<'static> {
    (FAMILY, size).into_text_style(&(WIDTH, WIDTH)).color(&BLACK)
}

/// Text set left, its middle at the point.
pub fn left(size: f64) -> TextStyle<'static> {
    words(size).pos(Pos::new(HPos::Left, VPos::Center))
}

/// Text set right, its middle at the point.
pub fn right(size: f64) -> TextStyle<'static> {
    words(size).pos(Pos::new(HPos::Right, VPos::Center))
}

/// Text with its middle at the point.
pub fn centred(size: f64) -> TextStyle<'static> {
    words(size).pos(Pos::new(HPos::Center, VPos::Center))
}

/// Text that runs upwards, its middle at the point.
pub fn upwards(size: f64) -> TextStyle<'static> {
    centred(size).transform(FontTransform::Rotate270)
}

/// About how wide a text is, in units of the canvas.
pub fn width_of(text: &str, size: f64) -> i32 {
    (CHARACTER * size / SVG_SIZE * text.chars().count() as f64).ceil() as i32
}

/// A text that is cut where it would be wider than `width`; three dots stand for the rest.
pub fn cut(text: &str, size: f64, width: i32) -> String {
    if width_of(text, size) <= width {
        return text.into();
    }
    let fit = (f64::from(width) / (CHARACTER * size / SVG_SIZE)) as usize;
    let kept: String = text.chars().take(fit.saturating_sub(1)).collect();
    format!("{}\u{2026}", kept.trim_end())
}

/// A text in lines of at most `width`, broken at spaces.
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
