//! Formats against what others published: RFC 6962's reference tree, the note of Go's sumdb, the
//! examples of C2SP; and the tree against its definition.

use std::path::Path;

use super::checkpoint::{self, Checkpoint, Entry};
use super::hashes::{Hash, empty_root, leaf, leaf_of_short, node, to_base64};
use super::note::{Signer, Verifier};
use super::tree::{self, Edge, consistency, inclusion, is_consistent, is_included};
use super::{leaves, tiles};

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// The leaves of the reference implementation of certificate transparency.
fn reference() -> Vec<Hash> {
    let inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    inputs.iter().map(|input| leaf(&unhex(input))).collect()
}

const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn a_short_line_has_the_same_hash_either_way() {
    let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
    for length in (0..300).chain([1023, 1024, 4095, 4096, 5000]) {
        assert_eq!(leaf_of_short(&bytes[..length]), leaf(&bytes[..length]), "{length}");
    }
}

#[test]
fn roots_and_proofs_are_those_of_the_reference_tree() {
    let leaves = reference();
    for (size, expected) in ROOTS.iter().enumerate() {
        assert_eq!(hex(&tree::root(&leaves[..size])), *expected, "{size}");
    }
    let path: Vec<String> = inclusion(&leaves, 0).iter().map(hex).collect();
    let expected = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ];
    assert_eq!(path, expected);
    let path: Vec<String> = consistency(&leaves, 6).iter().map(hex).collect();
    let expected = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        ROOTS[4],
    ];
    assert_eq!(path, expected);
}

fn numbered(count: u32) -> Vec<Hash> {
    (0..count).map(|n| leaf(&n.to_be_bytes())).collect()
}

/// RFC 6962, 2.1, word by word.
fn defined(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [only] => *only,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            node(&defined(&leaves[..k]), &defined(&leaves[k..]))
        }
    }
}

#[test]
fn an_edge_has_the_root_of_the_definition_at_every_size() {
    let leaves = numbered(70_000);
    let mut edge = Edge::default();
    let mut full = Vec::new();
    for (at, leaf) in leaves.iter().enumerate() {
        if at < 800 || at.is_power_of_two() || at == 65_537 {
            assert_eq!(edge.root(), defined(&leaves[..at]), "{at}");
        }
        edge.push(*leaf, &mut |level, index, _: &[Hash]| {
            full.push((level, index));
            Ok::<(), ()>(())
        })
        .unwrap();
    }
    assert_eq!(edge.root(), defined(&leaves));
    // The example of tlog-tiles.
    assert_eq!(full.iter().filter(|(level, _)| *level == 0).count(), 273);
    assert_eq!(full.iter().filter(|(level, _)| *level == 1).collect::<Vec<_>>(), [&(1, 0)]);
    assert_eq!(edge.levels().iter().map(Vec::len).collect::<Vec<_>>(), [112, 17, 1]);
}

#[test]
fn every_proof_holds_and_no_other() {
    let leaves = numbered(40);
    for size in 1..=leaves.len() {
        let tree = (size as u64, defined(&leaves[..size]));
        for index in 0..size {
            let proof = inclusion(&leaves[..size], index);
            let holds = |leaf, index, proof: &[Hash]| is_included(leaf, index, tree, proof);
            assert!(holds(leaves[index], index as u64, &proof));
            assert!(!holds(leaf(b"another"), index as u64, &proof));
            assert!(!holds(leaves[index], size as u64, &proof));
            assert!(!holds(leaves[index], index as u64, &[&proof[..], &[leaves[0]]].concat()));
            if !proof.is_empty() {
                assert!(!holds(leaves[index], index as u64, &proof[1..]));
            }
            let old = (index as u64 + 1, defined(&leaves[..=index]));
            let proof = consistency(&leaves[..size], index + 1);
            assert!(is_consistent(old, tree, &proof), "{index} {size}");
            assert!(!is_consistent((old.0, leaf(b"x")), tree, &proof), "{index} {size}");
            assert!(!is_consistent((size as u64 + 1, old.1), tree, &proof), "{index} {size}");
            if !proof.is_empty() {
                assert!(!is_consistent(old, (tree.0, leaf(b"x")), &proof), "{index} {size}");
                assert!(!is_consistent(old, tree, &proof[1..]), "{index} {size}");
            }
        }
    }
}

#[test]
fn tiles_are_named_and_kept_as_the_specification_has_them() {
    assert_eq!(tiles::path(0, 1_234_067), Path::new("tile/0/x001/x234/067"));
    assert_eq!(tiles::path(3, 5), Path::new("tile/3/005"));
    assert_eq!(tiles::partial_path(1, 1_000, 17), Path::new("tile/1/x001/000.p/17"));
    let dir = tempfile::tempdir().unwrap();
    let all = numbered(700);
    let mut edge = Edge::default();
    for (at, leaf) in all.iter().enumerate() {
        if [200, 256, 600].contains(&at) {
            tiles::write_edge(dir.path(), &edge).unwrap();
            let lowest = all[at & !0xff..at].to_vec();
            let read = tiles::read_edge(dir.path(), at as u64, lowest).unwrap().unwrap();
            assert_eq!(read.root(), edge.root(), "{at}");
            assert_eq!(tiles::read_leaves(dir.path(), at as u64).unwrap().unwrap(), all[..at]);
        }
        edge.push(*leaf, &mut |level, index, tile: &[Hash]| {
            tiles::write_full(dir.path(), (level, index), tile, false)
        })
        .unwrap();
    }
    assert!(dir.path().join("tile/1/000.p/1").is_file());
    assert!(!dir.path().join("tile/0/000.p").exists(), "the full tile took its place");
    assert_eq!(std::fs::read(dir.path().join("tile/0/001")).unwrap().len(), 8192);
}

const SECRET: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
const SIGNATURE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn notes_are_signed_as_others_sign_them() {
    let signer = Signer::parse(SECRET).unwrap();
    assert_eq!(signer.sign(TEXT), format!("{TEXT}\n{SIGNATURE}"));
    assert_eq!(signer.verifier().text(), PUBLIC);
    assert_eq!(signer.text(), SECRET);
    let verifier = Verifier::parse(PUBLIC).unwrap();
    assert_eq!(verifier.open(&signer.sign(TEXT)).unwrap(), TEXT);
    assert!(Verifier::parse(&PUBLIC.replace("c74f20a3", "c74f20a4")).is_none());
    // Signatures of others are passed over, also before one's own.
    let other = Signer::new(&[7; 32]);
    let both = format!("{}{SIGNATURE}", other.sign(TEXT));
    assert_eq!(verifier.open(&both).unwrap(), TEXT);
    assert!(verifier.open(&other.sign(TEXT)).unwrap_err().contains("not signed by"));
}

#[test]
fn no_note_with_a_flipped_bit_is_opened() {
    let signer = Signer::new(&[3; 32]);
    let root = leaf(b"x");
    let made = Checkpoint { origin: signer.verifier().name().into(), size: 1, root };
    let note = signer.sign(&made.text());
    assert_eq!(Checkpoint::of_note(&note), Some(made));
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut flipped = note.clone().into_bytes();
            flipped[at] ^= 1 << bit;
            let opened =
                std::str::from_utf8(&flipped).map(|note| signer.verifier().open(note).is_ok());
            assert_ne!(opened, Ok(true), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn checkpoints_are_read_strictly() {
    let root = to_base64(&leaf(b"x"));
    let read = |text: &str| Checkpoint::parse(text).map(|c| c.size);
    assert_eq!(read(&format!("o\n0\n{root}\n")), Some(0));
    assert_eq!(read(&format!("o\n20852163\n{root}\nextension\n")), Some(20_852_163));
    for bad in ["\n1\n", "o\n01\n", "o\n+1\n", "o\n-1\n", "o\n1 \n", "o\n99999999999999999999\n"] {
        assert_eq!(read(&format!("{bad}{root}\n")), None, "{bad:?}");
    }
    assert_eq!(read(&format!("o\n1\n{root}")), None);
    assert_eq!(read(&format!("o\n1\n{}\n", &root[1..])), None);
    assert_eq!(read(&format!("o\n1\n{root}\n\n")), None);
}

#[test]
fn the_history_stays_small_and_reaches_back() {
    let dir = tempfile::tempdir().unwrap();
    for size in 1..=400_u64 {
        let entry = Entry { size, bytes: size, note: String::new() };
        checkpoint::remember(dir.path(), entry).unwrap();
    }
    let (kept, damaged) = checkpoint::history(dir.path()).unwrap();
    let sizes: Vec<u64> = kept.iter().map(|entry| entry.size).collect();
    assert_eq!((kept.len(), damaged), (64, 0));
    assert_eq!(sizes[0], 1);
    assert_eq!(sizes[48..], (385..=400).collect::<Vec<_>>());
    assert!(sizes.windows(2).all(|pair| pair[1] - pair[0] <= 32), "{sizes:?}");
}

#[test]
fn a_leaf_is_a_line_without_its_feed_and_blank_lines_are_none() {
    let expected = vec![leaf(b"a"), leaf(b" b\r")];
    assert_eq!(leaves::of_lines(b"a\n\n \t\n b\r\n"), expected);
    assert_eq!(leaves::of_lines(b""), Vec::<Hash>::new());
}
