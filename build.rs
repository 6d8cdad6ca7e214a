//! Links the Linux binary at a fixed address. `--append` is started thousands of times a day: with
//! every address known, the loader has no tens of thousands of relocations to make first.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|v| v == value);
    let gnu_linux = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if gnu_linux && is("PROFILE", "release") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
        // Names of libraries are looked up when they are first called: an append calls few.
        println!("cargo::rustc-link-arg-bins=-Wl,-z,lazy");
    }
}
