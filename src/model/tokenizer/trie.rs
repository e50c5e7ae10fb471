//! Estimates the size of the trie in which a unigram model looks up its pieces, before the library builds the
//! trie. Also estimates the time to look up all pieces that begin at one position of a text.

/// Maximum number of nodes. The library takes about 300 bytes for each node. Published models stay below two
/// million.
const MOST_NODES: usize = 5_000_000;
/// Time to follow one node, in nanoseconds.
const NODE: usize = 20;
/// Time to look up one piece, in nanoseconds.
const PIECE: usize = 100;
/// Number of bytes that are copied in a nanosecond.
const BYTES_PER_NS: usize = 8;

/// Estimates the longest time in nanoseconds that a lookup at one position can take.
///
/// # Errors
/// The reason why the trie would be too large.
pub(super) fn lookup_ns<'a>(pieces: impl Iterator<Item = &'a str>) -> Result<usize, String> {
    let mut pieces: Vec<&[u8]> = pieces.map(str::as_bytes).collect();
    pieces.sort_unstable();
    let (mut nodes, mut longest, mut before) = (0_usize, 0, &[][..]);
    // The pieces that are prefixes of the current piece, each with the time to find it and all shorter
    // prefixes.
    let mut begun: Vec<(&[u8], usize)> = vec![];
    for piece in pieces {
        let shared = piece.iter().zip(before).take_while(|(a, b)| a == b).count();
        nodes += piece.len() - shared;
        while begun.last().is_some_and(|(start, _)| !piece.starts_with(start)) {
            begun.pop();
        }
        let found = begun.last().map_or(0, |(_, ns)| *ns) + PIECE + piece.len() / BYTES_PER_NS;
        longest = longest.max(found + NODE * piece.len());
        begun.push((piece, found));
        before = piece;
    }
    match nodes {
        ..=MOST_NODES => Ok(longest),
        _ => Err(format!("its pieces need a trie of {nodes} nodes; at most {MOST_NODES} are allowed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_pieces_take_longer_and_separate_pieces_take_more_memory() {
        let ns = |pieces: &[&str]| lookup_ns(pieces.iter().copied());
        assert_eq!(ns(&[]), Ok(0));
        assert_eq!(ns(&["b", "a"]), Ok(PIECE + NODE));
        assert_eq!(ns(&["ab", "a", "ac", "b"]), Ok(2 * PIECE + 2 * NODE));
        let nested: Vec<String> = (1..=1000).map(|n| "a".repeat(n)).collect();
        let long = lookup_ns(nested.iter().map(String::as_str));
        assert!(long.as_ref().is_ok_and(|ns| *ns > 150_000), "{long:?}");
        let separate: Vec<String> = (0..2000).map(|i| format!("{i:04}{}", "a".repeat(4000))).collect();
        assert!(lookup_ns(separate.iter().map(String::as_str)).is_err());
    }
}
