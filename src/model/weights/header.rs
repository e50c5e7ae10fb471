//! The header of a file of weights that is elsewhere.

/// The header of a safetensors or GGUF file without the weights behind it.
#[derive(Debug, Clone)]
pub struct FileHeader {
    /// The file's name in its repository.
    pub name: String,
    /// Its first bytes, the header at least.
    pub bytes: Vec<u8>,
    /// The length of the whole file.
    pub len: u64,
    /// SHA-256 of the whole file, where it is known.
    pub sha256: Option<String>,
}
