//! Shortens texts from servers for use in messages.

/// The first 300 characters of a text, with spaces in place of control characters.
pub fn clip(text: &str) -> String {
    const MOST: usize = 300;
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut clipped: String = text.trim().chars().take(MOST).map(clean).collect();
    if clipped.len() < text.trim().len() {
        clipped.push('…');
    }
    clipped
}
