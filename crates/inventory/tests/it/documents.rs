use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use inventory::{Direction, Folder, Inventory, Warning, parse, sample, undeclared};

/// Public descriptions that the tests read.
pub(crate) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/descriptions");
    assert!(folder.is_dir(), "the descriptions to test with are missing: no folder {}", folder.display());
    folder
}

pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).map_err(|error| (path, error)).expect("the file is readable");
    if path.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).expect("the file is in gzip format");
    unpacked
}

/// Every complete description, in order of its path; parts of others are left out.
fn descriptions() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is readable") {
            let path = entry.expect("the entry is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
        .retain(|path| !path.to_string_lossy().contains("petstore-separate") || path.ends_with(name_of_separate(path)));
    files.sort();
    files
}

fn name_of_separate(path: &Path) -> String {
    format!("spec/swagger.{}", path.extension().unwrap_or_default().to_string_lossy())
}

fn load(path: &Path) -> (Inventory, Vec<Warning>) {
    let separate = path.to_string_lossy().contains("petstore-separate");
    let mut loader = match path.parent().and_then(Path::parent).filter(|_| separate) {
        Some(parent) => Folder::below(parent),
        None => Folder::of(path),
    };
    parse(&path.to_string_lossy(), &bytes(path), &mut loader)
        .map_err(|error| (path, error))
        .expect("the file is a description")
}

#[test]
fn every_public_description_loads_with_known_counts() {
    let root = folder();
    let mut table = String::new();
    for path in descriptions() {
        let (inventory, warnings) = load(&path);
        let name = path.strip_prefix(&root).unwrap_or(&path).display();
        let counts = inventory.counts;
        table += &format!(
            "{name}: {}, {} operations, {} paths, {} schemas, {} references ({} unresolved), {} servers, {} security schemes\n",
            inventory.format,
            counts.operations,
            counts.paths,
            counts.schemas,
            counts.references,
            counts.unresolved_references,
            inventory.servers.len(),
            inventory.security_schemes.len(),
        );
        for warning in warnings {
            let document = warning.document.replace(&*root.to_string_lossy(), "");
            table += &format!("  {document}#{}: {}\n", warning.pointer, warning.message);
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn json_and_yaml_of_one_description_give_the_same_inventory() {
    let both =
        ["json", "yaml"].map(|kind| load(&folder().join(format!("oai-examples/v3.0/petstore-expanded.{kind}"))).0);
    let [json, yaml] = both.map(|inventory| {
        let operations = inventory.operations.iter().map(|operation| format!("{operation:?}")).collect::<Vec<_>>();
        (operations, inventory.counts, inventory.title)
    });
    assert_eq!(json, yaml);
}

#[test]
fn every_schema_of_a_large_description_declares_its_own_sample() {
    let (inventory, _) = load(&folder().join("github.json.gz"));
    let mut sampled = 0;
    let mut odd = Vec::new();
    for operation in &inventory.operations {
        let bodies = operation.body.iter().flat_map(|body| &body.media);
        let responses = operation.responses.iter().flat_map(|response| &response.media);
        for place in bodies.chain(responses).filter_map(|media| media.schema.as_ref()) {
            let value = sample(inventory.schema(place), Direction::Response);
            let pointers = undeclared(inventory.schema(place), &value);
            sampled += 1;
            odd.extend(pointers.into_iter().map(|pointer| format!("{} {pointer}", operation.path)));
        }
    }
    assert_eq!(sampled, 3_259);
    // The schema's own example is a reference that nothing resolves.
    assert_eq!(odd, ["/repos/{owner}/{repo}/environments/{environment_name}/deployment_protection_rules /$ref"]);
}
