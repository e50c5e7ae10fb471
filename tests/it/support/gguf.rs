//! Writes valid and invalid GGUF files.

/// The parts of a file.
#[derive(Debug, Clone)]
pub struct GgufFile {
    pub magic: [u8; 4],
    pub version: u32,
    /// Numbers of tensors and keys in the header; `None` writes the actual numbers.
    pub n_tensors: Option<u64>,
    pub n_keys: Option<u64>,
    /// Name, type and value of each key.
    pub keys: Vec<(String, u32, Vec<u8>)>,
    pub tensors: Vec<GgufTensor>,
    pub data: Vec<u8>,
}

/// A tensor in the header.
#[derive(Debug, Clone)]
pub struct GgufTensor {
    pub name: String,
    /// Sizes of the dimensions, the fastest-varying dimension first, as in the file.
    pub dims: Vec<u64>,
    pub kind: u32,
    pub offset: u64,
}

/// Encodes a string: its length, then its bytes.
pub fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

/// Encodes a list of strings: their type, the number of strings, and the strings.
pub fn texts(items: &[&str]) -> Vec<u8> {
    let mut bytes = [&8_u32.to_le_bytes()[..], &(items.len() as u64).to_le_bytes()].concat();
    items.iter().for_each(|item| bytes.extend(text(item)));
    bytes
}

/// Encodes a list of numbers of four bytes: their type, the number of numbers, and the numbers.
pub fn numbers(kind: u32, items: &[[u8; 4]]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(items.len() as u64).to_le_bytes(), &items.concat()].concat()
}

pub const U32: u32 = 4;
pub const I32: u32 = 5;
pub const F32: u32 = 6;
pub const BOOL: u32 = 7;
pub const TEXT: u32 = 8;
pub const LIST: u32 = 9;

impl GgufFile {
    /// A Llama with one block of width 8, and a byte-level tokenizer with 16 tokens.
    pub fn llama() -> Self {
        let mut file = Self {
            magic: *b"GGUF",
            version: 3,
            n_tensors: None,
            n_keys: None,
            keys: vec![],
            tensors: vec![],
            data: vec![],
        };
        file.set("general.architecture", TEXT, text("llama"));
        for (key, size) in [
            ("context_length", 64_u32),
            ("embedding_length", 8),
            ("block_count", 1),
            ("feed_forward_length", 8),
            ("attention.head_count", 2),
            ("attention.head_count_kv", 1),
            ("rope.dimension_count", 4),
        ] {
            file.set(&format!("llama.{key}"), U32, size.to_le_bytes().to_vec());
        }
        file.set("llama.attention.layer_norm_rms_epsilon", F32, 1e-5_f32.to_le_bytes().to_vec());
        let letters = ["<s>", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "ab"];
        file.set("tokenizer.ggml.model", TEXT, text("gpt2"));
        file.set("tokenizer.ggml.pre", TEXT, text("gpt-2"));
        file.set("tokenizer.ggml.tokens", LIST, texts(&letters));
        let kinds: Vec<[u8; 4]> = (0..16).map(|i| if i == 0 { 3_i32 } else { 1 }.to_le_bytes()).collect();
        file.set("tokenizer.ggml.token_type", LIST, numbers(I32, &kinds));
        file.set("tokenizer.ggml.merges", LIST, texts(&["a b"]));
        file.set("tokenizer.ggml.bos_token_id", U32, 0_u32.to_le_bytes().to_vec());
        for (name, dims) in [
            ("token_embd.weight", &[8, 16][..]),
            ("output_norm.weight", &[8]),
            ("blk.0.attn_norm.weight", &[8]),
            ("blk.0.attn_q.weight", &[8, 8]),
            ("blk.0.attn_k.weight", &[8, 4]),
            ("blk.0.attn_v.weight", &[8, 4]),
            ("blk.0.attn_output.weight", &[8, 8]),
            ("blk.0.ffn_norm.weight", &[8]),
            ("blk.0.ffn_gate.weight", &[8, 8]),
            ("blk.0.ffn_up.weight", &[8, 8]),
            ("blk.0.ffn_down.weight", &[8, 8]),
        ] {
            file.push(name, dims);
        }
        file
    }

    /// Sets a key. An existing key with this name is replaced.
    pub fn set(&mut self, key: &str, kind: u32, value: Vec<u8>) {
        self.remove(key);
        self.keys.push((key.to_owned(), kind, value));
    }

    pub fn remove(&mut self, key: &str) {
        self.keys.retain(|(other, _, _)| other != key);
    }

    /// Adds a tensor of different f32 values.
    pub fn push(&mut self, name: &str, dims: &[u64]) {
        let n: u64 = dims.iter().product();
        let offset = self.data.len() as u64;
        self.tensors.push(GgufTensor { name: name.to_owned(), dims: dims.to_vec(), kind: 0, offset });
        for i in 0..n {
            self.data.extend(((i as f32 + offset as f32) * 0.37).sin().to_le_bytes());
        }
        self.data.resize(self.data.len().next_multiple_of(32), 0);
    }

    pub fn tensor(&mut self, name: &str) -> &mut GgufTensor {
        self.tensors.iter_mut().find(|tensor| tensor.name == name).expect("a tensor")
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.magic.to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.n_tensors.unwrap_or(self.tensors.len() as u64).to_le_bytes());
        bytes.extend(self.n_keys.unwrap_or(self.keys.len() as u64).to_le_bytes());
        for (key, kind, value) in &self.keys {
            bytes.extend(text(key));
            bytes.extend(kind.to_le_bytes());
            bytes.extend(value);
        }
        for GgufTensor { name, dims, kind, offset } in &self.tensors {
            bytes.extend(text(name));
            bytes.extend((dims.len() as u32).to_le_bytes());
            dims.iter().for_each(|size| bytes.extend(size.to_le_bytes()));
            bytes.extend(kind.to_le_bytes());
            bytes.extend(offset.to_le_bytes());
        }
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        bytes.extend(&self.data);
        bytes
    }
}
