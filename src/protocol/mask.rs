//! Masking (RFC 6455 §5.3), in place.

/// Removes (or applies) `key` over `bytes`, and returns the key as it stands for the byte after them:
/// a frame that arrives in pieces goes on with it.
pub(super) fn apply(bytes: &mut [u8], key: [u8; 4]) -> [u8; 4] {
    let word = u32::from_ne_bytes(key);
    let wide = (u64::from(word) << 32) | u64::from(word);
    // Blocks of 32 bytes compile to vector XORs without an `unsafe` of ours.
    let mut blocks = bytes.chunks_exact_mut(32);
    for block in &mut blocks {
        for eight in block.chunks_exact_mut(8) {
            if let Ok(eight) = <&mut [u8; 8]>::try_from(eight) {
                *eight = (u64::from_ne_bytes(*eight) ^ wide).to_ne_bytes();
            }
        }
    }
    let mut fours = blocks.into_remainder().chunks_exact_mut(4);
    for four in &mut fours {
        if let Ok(four) = <&mut [u8; 4]>::try_from(four) {
            *four = (u32::from_ne_bytes(*four) ^ word).to_ne_bytes();
        }
    }
    let rest = fours.into_remainder();
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
    }
    let mut next = key;
    next.rotate_left(rest.len());
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masking_in_pieces_equals_masking_bytewise() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let plain: Vec<u8> = (0..200u8).collect();
        let masked: Vec<u8> = plain.iter().enumerate().map(|(i, b)| b ^ key[i % 4]).collect();
        for cut in 0..=plain.len() {
            let mut bytes = masked.clone();
            let (head, tail) = bytes.split_at_mut(cut);
            let next = apply(head, key);
            apply(tail, next);
            assert_eq!(bytes, plain, "cut at {cut}");
        }
    }
}
