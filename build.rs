//! Links the release binary for Linux without a loader, at a fixed address, where the system has
//! what that needs. `--append` is started thousands of times a day, and is over in less time than
//! the loader takes to find the C library and to make tens of thousands of relocations.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What the standard library asks the linker for, and the archives that hold the same. The C
/// library and the compiler's two need each other.
const SHARED: [(&str, &[&str]); 3] = [
    ("libgcc_s.so", &["libgcc_eh.a"]),
    ("libm.so", &["libm.a"]),
    ("libc.so", &["libc.a", "libgcc_eh.a", "libgcc.a"]),
];

/// Parts of the C library that it has swallowed: where they are still apart it is too old for this.
const SWALLOWED: [&str; 4] = ["libpthread.so", "libdl.so", "librt.so", "libutil.so"];

/// Which functions an append calls, as a script for the linker.
const ORDER: &str = "assets/link/append.ld";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|v| v == value);
    let native = std::env::var("HOST") == std::env::var("TARGET");
    let gnu_linux = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if !gnu_linux || !is("PROFILE", "release") {
        return;
    }
    println!("cargo::rustc-link-arg-bins=-no-pie");
    if let Some(folder) = std::env::var_os("OUT_DIR")
        && native
        && redirect(Path::new(&folder)).is_some()
    {
        println!("cargo::rustc-link-arg-bins=-static");
        put_together();
        println!("cargo::rustc-link-arg-bins=-L{}", Path::new(&folder).display());
    } else {
        // Names of libraries are looked up when they are first called: an append calls few.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,lazy");
    }
}

/// Writes, for each shared library that the standard library names, a linker script of that name
/// which points to the archive instead. (The flag that is meant for this, `crt-static`, cannot be
/// set for one program: it would hold for procedural macros too, which cannot be built so.)
fn redirect(folder: &Path) -> Option<()> {
    if SWALLOWED.iter().any(|name| of_compiler(name).is_some()) {
        return None;
    }
    for (shared, archives) in SHARED {
        let paths: Option<Vec<PathBuf>> = archives.iter().map(|name| of_compiler(name)).collect();
        let paths: Vec<String> = paths?.iter().map(|p| format!("\"{}\"", p.display())).collect();
        std::fs::write(folder.join(shared), format!("GROUP({})\n", paths.join(" "))).ok()?;
    }
    Some(())
}

/// Has the functions that an append calls stand one behind the other. Linkers that somebody chose
/// are left alone: not all of them read such scripts.
fn put_together() {
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let chosen = std::env::var_os("RUSTC_LINKER").is_some() || flags.contains("link");
    if let Some(root) = std::env::var_os("CARGO_MANIFEST_DIR").filter(|_| !chosen) {
        let script = Path::new(&root).join(ORDER);
        println!("cargo::rerun-if-changed={}", script.display());
        println!("cargo::rustc-link-arg-bins=-T");
        println!("cargo::rustc-link-arg-bins={}", script.display());
    }
}

/// The file of this name that the C compiler would link, if there is one.
fn of_compiler(name: &str) -> Option<PathBuf> {
    let output = Command::new("cc").arg(format!("-print-file-name={name}")).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    path.is_absolute().then(|| path.canonicalize().ok()).flatten()
}
