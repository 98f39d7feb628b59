//! The walls between the crates: who may depend on whom, and what nobody may depend on.
//!
//! It reads what cargo resolved and never a source file. What only tests use stands behind no wall.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process::{cargo, output};

/// Our crates from left to right: each may depend on those before it.
const ROW: [&str; 4] = ["hallpass-token", "hallpass-core", "hallpass-axum", "hallpass"];

/// Crates that a crate of ours may not name in its manifest.
const DIRECT: [Wall; 5] = [
    Wall { of: "hallpass-token", forbidden: &["sqlx", "hyper"], because: "it is no server and has no database" },
    Wall {
        of: "hallpass-core",
        forbidden: &["axum", "axum-extra", "http", "hyper", "tower", "tower-http", "utoipa"],
        because: "the core knows no HTTP",
    },
    Wall { of: "hallpass-axum", forbidden: &["sqlx", "libsqlite3-sys"], because: "HTTP knows no SQL" },
    Wall { of: "resource-server", forbidden: &["hallpass-core", "hallpass-axum"], because: "it only checks tokens" },
    Wall {
        of: "hallpass-bench",
        forbidden: &["hallpass-token", "hallpass-core", "hallpass-axum"],
        because: "it measures from outside",
    },
];

/// Crates that may be nowhere in what a crate of ours brings with its default features.
const ANYWHERE: [Wall; 1] = [Wall {
    of: "hallpass-token",
    forbidden: &["sqlx", "sqlx-core", "libsqlite3-sys", "tokio", "reqwest", "axum", "hyper"],
    because: "a back end that only checks tokens needs no database and no server",
}];

/// Crates that libraries leave to the program.
const LOGGERS: [&str; 4] = ["tracing-subscriber", "env_logger", "metrics-exporter-prometheus", "mimalloc"];

/// Crates that nobody compiles: there is one cryptography, aws-lc, and it needs nothing installed.
const NOBODY: [&str; 4] = ["openssl-sys", "openssl", "native-tls", "ring"];

struct Wall {
    of: &'static str,
    forbidden: &'static [&'static str],
    because: &'static str,
}

/// What depends on what, by names of packages.
#[derive(Default)]
struct Dependencies {
    /// What each crate of the workspace names in its manifest, but for tests.
    direct: BTreeMap<String, BTreeSet<String>>,
    /// What each crate behind a wall of [`ANYWHERE`] compiles with its default features.
    trees: BTreeMap<String, BTreeSet<String>>,
    /// What the whole workspace compiles with all features, on any system.
    workspace: BTreeSet<String>,
}

/// Fails with a sentence for each breach.
pub(crate) fn check() -> Result<()> {
    let breaches = breaches(&dependencies()?);
    if !breaches.is_empty() {
        bail!("{}", breaches.join("\n"));
    }
    Ok(())
}

fn breaches(found: &Dependencies) -> Vec<String> {
    let mut breaches = Vec::new();
    for (place, of) in ROW.iter().enumerate() {
        for right in ROW.iter().skip(place + 1) {
            if has(&found.direct, of, right) {
                breaches.push(format!(
                    "`{of}` depends on `{right}`: each crate may only know those before it, {}",
                    ROW.join(", ")
                ));
            }
        }
    }
    for of in ROW.iter().filter(|of| **of != "hallpass") {
        for logger in LOGGERS.iter().filter(|logger| has(&found.direct, of, logger)) {
            breaches.push(format!(
                "`{of}` depends on `{logger}`: libraries install no logger, no recorder and no allocator"
            ));
        }
    }
    for (walls, dependencies, verb) in
        [(DIRECT.as_slice(), &found.direct, "names"), (ANYWHERE.as_slice(), &found.trees, "brings")]
    {
        for Wall { of, forbidden, because } in walls {
            for name in forbidden.iter().filter(|name| has(dependencies, of, name)) {
                breaches.push(format!("`{of}` {verb} `{name}`: {because}"));
            }
        }
    }
    for name in NOBODY.iter().filter(|name| found.workspace.contains(**name)) {
        breaches.push(format!("`{name}` is compiled (`cargo tree -i {name} -e normal,build` says by whom): aws-lc is the only cryptography"));
    }
    breaches
}

fn has(dependencies: &BTreeMap<String, BTreeSet<String>>, of: &str, name: &str) -> bool {
    dependencies.get(of).is_some_and(|names| names.contains(name))
}

fn dependencies() -> Result<Dependencies> {
    let metadata = output(&mut cargo(["metadata", "--no-deps", "--format-version=1", "--locked"]))?;
    let mut found = Dependencies { direct: direct(&serde_json::from_slice(&metadata)?)?, ..Dependencies::default() };
    for Wall { of, .. } in ANYWHERE {
        found.trees.insert(of.to_owned(), tree(&["--package", of, "--edges=normal"])?);
    }
    found.workspace = tree(&["--workspace", "--all-features", "--edges=normal,build"])?;
    Ok(found)
}

fn direct(metadata: &Value) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let name = |package: &Value| package["name"].as_str().map(str::to_owned);
    let packages = metadata["packages"].as_array().context("`cargo metadata` lists no packages")?;
    let named = |package: &Value| {
        let dependencies = package["dependencies"].as_array()?;
        let not_for_tests =
            dependencies.iter().filter(|dependency| dependency.get("kind").is_none_or(|kind| kind != "dev"));
        Some((name(package)?, not_for_tests.filter_map(name).collect()))
    };
    packages
        .iter()
        .map(|package| named(package).context("`cargo metadata` describes a package as we do not know it"))
        .collect()
}

fn tree(selection: &[&str]) -> Result<BTreeSet<String>> {
    let mut cargo = cargo(["tree", "--target=all", "--prefix=none", "--format={p}", "--locked"]);
    let printed = String::from_utf8(output(cargo.args(selection))?)?;
    Ok(printed.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(pairs: &[(&str, &str)]) -> BTreeMap<String, BTreeSet<String>> {
        pairs.iter().map(|(of, name)| ((*of).to_owned(), BTreeSet::from([(*name).to_owned()]))).collect()
    }

    #[test]
    fn a_crate_that_knows_one_to_its_right_is_a_breach_and_the_other_way_is_none() {
        let direct = named(&[("hallpass-axum", "hallpass-core"), ("hallpass-core", "hallpass-axum")]);
        let breaches = breaches(&Dependencies { direct, ..Dependencies::default() });
        assert_eq!(breaches.len(), 1, "{breaches:?}");
        assert!(breaches[0].starts_with("`hallpass-core` depends on `hallpass-axum`"), "{breaches:?}");
    }

    #[test]
    fn each_kind_of_wall_is_guarded() {
        for (direct, trees, workspace) in [
            (named(&[("hallpass-axum", "sqlx")]), named(&[]), None),
            (named(&[("hallpass-core", "http")]), named(&[]), None),
            (named(&[("hallpass-core", "tracing-subscriber")]), named(&[]), None),
            (named(&[]), named(&[("hallpass-token", "tokio")]), None),
            (named(&[]), named(&[]), Some("ring".to_owned())),
        ] {
            let found = Dependencies { direct, trees, workspace: workspace.into_iter().collect() };
            assert_eq!(breaches(&found).len(), 1, "{:?}", breaches(&found));
        }
    }

    #[test]
    fn a_manifest_is_read_without_what_only_tests_use() {
        let dependency = |name: &str, kind| serde_json::json!({ "name": name, "kind": kind });
        let dependencies = [dependency("b", None), dependency("c", Some("build")), dependency("d", Some("dev"))];
        let metadata = serde_json::json!({ "packages": [{ "name": "a", "dependencies": dependencies }] });
        let expected = BTreeMap::from([("a".to_owned(), BTreeSet::from(["b".to_owned(), "c".to_owned()]))]);
        assert_eq!(direct(&metadata).unwrap(), expected);
    }
}
