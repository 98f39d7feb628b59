//! Builds again when the pages in `dist` were built anew. For development they are read from the disk at run time.

#[expect(clippy::disallowed_methods, reason = "this is how cargo tells a build script the profile")]
fn main() {
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    println!("cargo::rerun-if-changed={}", if release { "dist" } else { "build.rs" });
}
