//! Defines the values of a file before they are rounded to f32.

/// The values of a file, in the precision of the file.
pub(super) enum Values {
    Single(Vec<f32>),
    Double(Vec<f64>),
}

/// Decodes values of `N` bytes each.
pub(super) fn each<const N: usize, T>(data: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    data.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect()
}
