//! Defines the header of a remote weight file.

/// The header of a safetensors or GGUF file, without its weights.
#[derive(Debug, Clone)]
pub struct FileHeader {
    /// The file's name in its repository.
    pub name: String,
    /// The first bytes of the file, including the whole header.
    pub bytes: Vec<u8>,
    /// The length of the whole file.
    pub len: u64,
    /// SHA-256 of the whole file, if known.
    pub sha256: Option<String>,
}
