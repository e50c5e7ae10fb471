//! Updates the checksums of damaged files. Otherwise the commands would report that the checksum is wrong,
//! and read nothing else.

use std::io::{Cursor, Read};

use sha2::{Digest, Sha256};

use crate::hostile::archive;

/// A journal: each line ends with the checksum of the text before it.
pub fn journal(bytes: &[u8]) -> Vec<u8> {
    const FRAME: &[u8] = b",\"crc\":\"";
    let mut signed = vec![];
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let object = line.strip_suffix(b"\n").and_then(|line| line.strip_suffix(b"}"));
        let Some(object) = object else {
            signed.extend(line);
            continue;
        };
        let end = object.windows(FRAME.len()).rposition(|window| window == FRAME).unwrap_or(object.len());
        let sum = format!("{:08x}\"}}\n", crc32fast::hash(&object[..end]));
        signed.extend([&object[..end], FRAME, sum.as_bytes()].concat());
    }
    signed
}

/// A card: its hash covers its bytes without the first occurrence of the hash.
pub fn card(bytes: &[u8]) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    let hash = serde_json::from_str::<serde_json::Value>(&text).ok();
    let hash = hash.and_then(|card| card["card_sha256"].as_str().map(str::to_owned));
    let place = hash.filter(|hash| hash.len() == 64).and_then(|hash| Some((text.find(&hash)?, hash)));
    if let Some((at, hash)) = place {
        let without = [&text[..at], &text[at + hash.len()..]].concat();
        let right: String = Sha256::digest(without).iter().map(|byte| format!("{byte:02x}")).collect();
        text = text.replace(&hash, &right);
    }
    text.into_bytes()
}

/// An archive of stored entries with one entry changed.
pub fn archive(bytes: &[u8], change: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    let mut entries: Vec<(String, Vec<u8>)> = (0..archive.len())
        .map(|at| {
            let mut entry = archive.by_index(at).expect("an entry");
            let mut bytes = vec![];
            entry.read_to_end(&mut bytes).expect("its bytes");
            (entry.name().expect("UTF-8").into_owned(), bytes)
        })
        .collect();
    change(&mut entries);
    let entries: Vec<(&str, &[u8])> =
        entries.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    archive::stored(&entries)
}
