//! `new-check`: a folder that compiles, and fails its tests with clear messages until it is filled.

use anyhow::{Context, bail};

use crate::{root, say};

/// Scaffolds the folder of a check.
pub(crate) fn run(id: &str) -> anyhow::Result<()> {
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        bail!("`{id}` is no kebab-case id; name the weakness seen, such as `key-in-query`");
    }
    let folder = root().join("crates/checks/src").join(id.replace('-', "_"));
    if folder.exists() {
        bail!("{} is there already", folder.display());
    }
    std::fs::create_dir_all(&folder)?;
    let camel: String = id.split('-').map(|w| w[..1].to_uppercase() + &w[1..]).collect();
    let title = id.replace('-', " ");
    let title = title[..1].to_uppercase() + &title[1..];
    for (name, template) in [
        ("mod.rs", include_str!("templates/mod.rs.txt")),
        ("README.md", include_str!("templates/README.md.txt")),
        ("examples.md", include_str!("templates/examples.md.txt")),
        ("target.rs", include_str!("templates/target.rs.txt")),
    ] {
        let text = template.replace("@ID@", id).replace("@CAMEL@", &camel).replace("@TITLE@", &title);
        std::fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))?;
    }
    say(&format!(
        "made {}\nfill it from target.rs on; `cargo test -p middlebrick-checks` says what is missing",
        folder.display()
    ));
    Ok(())
}
