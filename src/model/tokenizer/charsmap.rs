//! Checks the rules of a sentencepiece normalizer: a double-array trie of replaced texts, followed by
//! zero-terminated replacements. The library that applies the rules does not check whether the offsets in the
//! rules are valid.

/// Checks that every path in the trie stays within the rules, and returns the factor by which the rules can
/// lengthen a text.
///
/// # Errors
/// The reason why the rules are invalid.
pub(super) fn check(rules: &[u8]) -> Result<usize, String> {
    let cut = || "its normalization rules are truncated".to_owned();
    let (length, rest) = rules.split_first_chunk::<4>().ok_or_else(cut)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (trie, replacements) = rest.split_at_checked(length).ok_or_else(cut)?;
    let replacements =
        std::str::from_utf8(replacements).map_err(|_| "its normalization rules are not UTF-8")?;
    let units: Vec<usize> =
        trie.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize).collect();
    let outside = || "a normalization rule points outside the rules".to_owned();
    let next = |at: usize| -> Result<usize, String> {
        let unit = *units.get(at).ok_or_else(outside)?;
        Ok(at ^ ((unit >> 10) << ((unit & (1 << 9)) >> 6)))
    };
    // A replacement ends at a zero byte or at the end of the rules.
    let ends: Vec<usize> = (0..replacements.len()).filter(|at| replacements.as_bytes()[*at] == 0).collect();
    let end = |from: usize| ends.get(ends.partition_point(|end| *end < from)).copied();
    let mut growth = 1;
    let mut seen = vec![false; units.len()];
    let mut open = vec![(next(0)?, 1_usize)];
    while let Some((node, depth)) = open.pop() {
        for byte in 1..=0xff {
            let at = node ^ byte;
            let unit = *units.get(at).ok_or_else(outside)?;
            // The label of an inner node is the byte alone; a leaf also has the highest bit set.
            if unit & (1 << 31 | 0xff) != byte || std::mem::replace(&mut seen[at], true) {
                continue;
            }
            let child = next(at)?;
            if (unit >> 8) & 1 == 1 {
                let leaf = *units.get(child).ok_or_else(outside)?;
                let from = leaf & ((1 << 31) - 1);
                if !replacements.is_char_boundary(from) {
                    return Err(outside());
                }
                let length = end(from).unwrap_or(replacements.len()) - from;
                growth = growth.max(length.div_ceil(depth));
            }
            open.push((child, depth + 1));
        }
    }
    Ok(growth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_point_outside_are_refused() {
        let rules = |units: &[u32], replacements: &[u8]| {
            let trie: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            [&(trie.len() as u32).to_le_bytes()[..], &trie, replacements].concat()
        };
        // The trie contains one text, "a". The root is in the first block of 256 units, the leaf in the
        // second block.
        let mut units = vec![0_u32; 512];
        units[0] = 256 << 10;
        units[256 ^ 0x61] = (0x61 << 10) | (1 << 8) | 0x61;
        units[256] = 1 << 31;
        assert_eq!(check(&rules(&units, b"b\0")), Ok(1));
        assert_eq!(check(&rules(&units, b"1234567\0")), Ok(7));
        units[256] = 1 << 31 | 1000;
        assert!(check(&rules(&units, b"b\0")).is_err(), "a replacement beyond the end");
        units[256] = 1 << 31 | 1;
        assert!(check(&rules(&units, "\u{e9}\0".as_bytes())).is_err(), "a replacement within a letter");
        units[256] = 1 << 31;
        assert!(check(&rules(&units[..300], b"b\0")).is_err(), "a block that is not whole");
        assert!(check(&rules(&[], b"")).is_err(), "no trie");
        assert!(check(&[0xff, 0xff, 0xff, 0xff, 0]).is_err(), "a trie beyond the end");
        assert!(check(b"").is_err());
    }
}
