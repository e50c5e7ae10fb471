//! Builds ZIP archives with the layout that PyTorch and Inspect write. The fuzz targets include this file.

/// An entry of an archive: its compression method, its bytes as stored, and the size and checksum of its
/// content.
pub struct Packed<'a> {
    pub name: &'a str,
    pub method: u8,
    pub bytes: Vec<u8>,
    pub size: u32,
    pub crc: u32,
}

/// A ZIP archive of uncompressed entries.
pub fn stored(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let entries: Vec<Packed<'_>> = entries
        .iter()
        .map(|(name, data)| {
            let (size, crc) = (data.len() as u32, crc32fast::hash(data));
            Packed { name, method: 0, bytes: data.to_vec(), size, crc }
        })
        .collect();
    packed(&entries)
}

/// A ZIP archive of entries.
pub fn packed(entries: &[Packed<'_>]) -> Vec<u8> {
    let (mut bytes, mut directory) = (vec![], vec![]);
    for entry in entries {
        let Packed { name, method, bytes: data, size, crc } = entry;
        let length = (name.len() as u16).to_le_bytes();
        let [stored, size] = [data.len() as u32, *size].map(u32::to_le_bytes);
        let start = (bytes.len() as u32).to_le_bytes();
        let head = [20, 0, 0, 0, *method, 0, 0, 0, 0x21, 0];
        let common: Vec<u8> = [&head[..], &crc.to_le_bytes(), &stored, &size, &length, &[0, 0]].concat();
        bytes.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), data].concat());
        let rest = [&[0; 10][..], &start].concat();
        directory.extend([&b"PK\x01\x02\x14\x00"[..], &common, &rest, name.as_bytes()].concat());
    }
    let n = (entries.len() as u16).to_le_bytes();
    let (size, start) = ((directory.len() as u32).to_le_bytes(), (bytes.len() as u32).to_le_bytes());
    let end = [&b"PK\x05\x06\0\0\0\0"[..], &n, &n, &size, &start, &[0, 0]].concat();
    [bytes, directory, end].concat()
}
