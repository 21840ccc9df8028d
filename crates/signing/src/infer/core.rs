//! Compression functions with their padding: a hash whose state after each block can be kept.

use crate::algorithm::Hash;

/// A Merkle–Damgård hash.
///
/// **Source**: RFC 1321 (MD5) and FIPS 180-4 (SHA) for initial values, padding and word order.
pub(super) trait Core {
    type State: Copy;
    /// Bytes of a block.
    const BLOCK: usize;
    /// Bytes of the length at the end of the last block.
    const LENGTH: usize;
    /// The state before the first block.
    const START: Self::State;

    /// Takes whole blocks in.
    fn compress(state: &mut Self::State, blocks: &[u8]);
    /// The message length as it ends the last block, in its last eight bytes.
    fn length(bits: u64) -> [u8; 8];
    /// Writes as much of the hash as `out` holds.
    fn write(state: &Self::State, out: &mut [u8]);
    /// The first word of the hash, as it is in the state.
    fn first(state: &Self::State) -> u64;
    /// The same word of a hash in bytes.
    fn first_of(hash: &[u8]) -> u64;
}

macro_rules! core {
    ($name:ident, $word:ty, $words:literal, $block:literal, $length:literal, $compress:path, $from:ident, $to:ident, $start:expr) => {
        pub(super) struct $name;

        impl Core for $name {
            type State = [$word; $words];
            const BLOCK: usize = $block;
            const LENGTH: usize = $length;
            const START: Self::State = $start;

            #[inline]
            fn compress(state: &mut Self::State, blocks: &[u8]) {
                $compress(state, blocks.as_chunks::<$block>().0);
            }

            #[inline]
            fn length(bits: u64) -> [u8; 8] {
                bits.$to()
            }

            #[inline]
            fn write(state: &Self::State, out: &mut [u8]) {
                let width = size_of::<$word>();
                for (bytes, word) in out.chunks_mut(width).zip(state) {
                    bytes.copy_from_slice(&word.$to()[..bytes.len()]);
                }
            }

            #[inline]
            fn first(state: &Self::State) -> u64 {
                state[0].into()
            }

            fn first_of(hash: &[u8]) -> u64 {
                let word = hash.first_chunk().expect("a hash has a first word");
                <$word>::$from(*word).into()
            }
        }
    };
}

core!(
    Md5,
    u32,
    4,
    64,
    8,
    md5::block_api::compress,
    from_le_bytes,
    to_le_bytes,
    [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
);
core!(
    Sha1,
    u32,
    5,
    64,
    8,
    sha1::block_api::compress,
    from_be_bytes,
    to_be_bytes,
    [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
);
core!(
    Sha256,
    u32,
    8,
    64,
    8,
    sha2::block_api::compress256,
    from_be_bytes,
    to_be_bytes,
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,]
);
core!(
    Sha384,
    u64,
    8,
    128,
    16,
    sha2::block_api::compress512,
    from_be_bytes,
    to_be_bytes,
    [
        0xcbbb_9d5d_c105_9ed8,
        0x629a_292a_367c_d507,
        0x9159_015a_3070_dd17,
        0x152f_ecd8_f70e_5939,
        0x6733_2667_ffc0_0b31,
        0x8eb4_4a87_6858_1511,
        0xdb0c_2e0d_64f9_8fa7,
        0x47b5_481d_befa_4fa4,
    ]
);
core!(
    Sha512,
    u64,
    8,
    128,
    16,
    sha2::block_api::compress512,
    from_be_bytes,
    to_be_bytes,
    [
        0x6a09_e667_f3bc_c908,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179,
    ]
);

/// A state and the message behind it that fills no block yet: `length` bytes of the message are
/// known, all but those after the last whole block are in `state`.
pub(super) struct Prefix<C: Core> {
    pub(super) state: C::State,
    /// Bytes of the message so far.
    pub(super) length: usize,
}

/// How secret and hash make a signature, for one secret.
pub(super) struct Keyed<C: Core> {
    /// State before the message, with the padded key of an HMAC in it.
    start: C::State,
    /// Bytes hashed before the message.
    offset: usize,
    /// Bytes that begin the message: the secret of `H(secret || message)`.
    pub(super) head: Vec<u8>,
    /// Bytes that end it: the secret of `H(message || secret)`.
    pub(super) tail: Vec<u8>,
    /// State and padded block of an HMAC's outer hash.
    outer: Option<(C::State, Vec<u8>)>,
    hash_bytes: usize,
}

impl<C: Core> Keyed<C> {
    pub(super) fn hmac(hash: Hash, key: &[u8]) -> Self {
        let mut block = if key.len() > C::BLOCK { hash.of(key) } else { key.to_vec() };
        block.resize(C::BLOCK, 0);
        let padded = |pad: u8| {
            let mut state = C::START;
            C::compress(&mut state, &block.iter().map(|b| b ^ pad).collect::<Vec<u8>>());
            state
        };
        let hash_bytes = hash.len_bytes();
        let mut last = vec![0; C::BLOCK];
        last[hash_bytes] = 0x80;
        last[C::BLOCK - 8..].copy_from_slice(&C::length(bits(C::BLOCK + hash_bytes)));
        Self {
            start: padded(0x36),
            offset: C::BLOCK,
            head: Vec::new(),
            tail: Vec::new(),
            outer: Some((padded(0x5c), last)),
            hash_bytes,
        }
    }

    pub(super) fn plain(hash: Hash, head: &[u8], tail: &[u8]) -> Self {
        Self {
            start: C::START,
            offset: 0,
            head: head.to_vec(),
            tail: tail.to_vec(),
            outer: None,
            hash_bytes: hash.len_bytes(),
        }
    }

    /// The state of an empty message.
    pub(super) fn empty(&self) -> Prefix<C> {
        Prefix { state: self.start, length: 0 }
    }

    /// Bytes that a buffer needs behind the message.
    pub(super) fn room(&self) -> usize {
        self.tail.len() + 2 * C::BLOCK
    }

    /// The prefix with more bytes of the message.
    #[inline]
    pub(super) fn append(&self, prefix: &Prefix<C>, message: &mut [u8], bytes: &[u8]) -> Prefix<C> {
        let mut longer = Prefix::<C> { state: prefix.state, length: prefix.length + bytes.len() };
        message[prefix.length..longer.length].copy_from_slice(bytes);
        let (from, to) = (prefix.length / C::BLOCK * C::BLOCK, longer.length / C::BLOCK * C::BLOCK);
        if from < to {
            C::compress(&mut longer.state, &message[from..to]);
        }
        longer
    }

    /// The state of the signature over a whole message; `block` is room for the outer hash.
    #[inline]
    pub(super) fn finish(&self, prefix: &Prefix<C>, message: &mut [u8], block: &mut [u8]) -> C::State {
        let Prefix { mut state, mut length } = *prefix;
        let from = length / C::BLOCK * C::BLOCK;
        if !self.tail.is_empty() {
            message[length..length + self.tail.len()].copy_from_slice(&self.tail);
            length += self.tail.len();
        }
        let end = (length + 1 + C::LENGTH).next_multiple_of(C::BLOCK);
        message[length] = 0x80;
        message[length + 1..end - 8].fill(0);
        message[end - 8..end].copy_from_slice(&C::length(bits(self.offset + length)));
        C::compress(&mut state, &message[from..end]);
        if let Some((start, _)) = &self.outer {
            C::write(&state, &mut block[..self.hash_bytes]);
            state = *start;
            C::compress(&mut state, block);
        }
        state
    }

    /// The block that [`Keyed::finish`] works in.
    pub(super) fn block(&self) -> Vec<u8> {
        self.outer.as_ref().map(|(_, block)| block.clone()).unwrap_or_default()
    }
}

fn bits(bytes: usize) -> u64 {
    8 * bytes as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;

    fn agrees<C: Core>(hash: Hash) {
        for length in (0..300).step_by(7).chain([55, 56, 63, 64, 65, 111, 112, 127, 128, 129]) {
            let message: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let key = b"key of some length";
            for (algorithm, keyed) in [
                (Algorithm::Hmac(hash), Keyed::<C>::hmac(hash, key)),
                (Algorithm::SecretFirst(hash), Keyed::plain(hash, key, b"")),
                (Algorithm::SecretLast(hash), Keyed::plain(hash, b"", key)),
            ] {
                let mut buffer = vec![0xaa; key.len() + message.len() + keyed.room()];
                let mut block = keyed.block();
                let mut prefix = keyed.append(&keyed.empty(), &mut buffer, &keyed.head);
                for part in message.chunks(29) {
                    prefix = keyed.append(&prefix, &mut buffer, part);
                }
                let state = keyed.finish(&prefix, &mut buffer, &mut block);
                let mut made = vec![0; hash.len_bytes()];
                C::write(&state, &mut made);
                assert_eq!(Some(&made), algorithm.mac(key, &message).as_ref(), "{algorithm} of {length} bytes");
                assert_eq!(C::first(&state), C::first_of(&made));
            }
        }
    }

    #[test]
    fn signatures_agree_with_the_library() {
        agrees::<Md5>(Hash::Md5);
        agrees::<Sha1>(Hash::Sha1);
        agrees::<Sha256>(Hash::Sha256);
        agrees::<Sha384>(Hash::Sha384);
        agrees::<Sha512>(Hash::Sha512);
    }

    #[test]
    fn a_key_longer_than_a_block_is_hashed_first() {
        let key = [7; 200];
        let keyed = Keyed::<Sha256>::hmac(Hash::Sha256, &key);
        let mut buffer = vec![0; keyed.room()];
        let state = keyed.finish(&keyed.empty(), &mut buffer, &mut keyed.block());
        let mut made = [0; 32];
        Sha256::write(&state, &mut made);
        assert_eq!(made.to_vec(), Hash::Sha256.hmac(&key, b""));
    }
}
