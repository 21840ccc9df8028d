use std::fs;
use std::path::{Path, PathBuf};

use inventory::{Direction, Folder, Inventory, NoLoader, Warning, parse, sample, undeclared};

use crate::large::{OPERATIONS, PATHS, SAMPLED, SCHEMAS, large};

/// Descriptions that others wrote.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/descriptions")
}

pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).map_err(|error| (path, error)).expect("the file is readable")
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
            } else if path.extension().is_some_and(|extension| extension != "md") {
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
    let both = ["json", "yaml"].map(|kind| load(&folder().join(format!("v3.0/petstore-expanded.{kind}"))).0);
    let [json, yaml] = both.map(|inventory| {
        let operations = inventory.operations.iter().map(|operation| format!("{operation:?}")).collect::<Vec<_>>();
        (operations, inventory.counts, inventory.title)
    });
    assert_eq!(json, yaml);
}

#[test]
fn a_large_description_loads_alike_as_json_and_as_yaml() {
    let description = large();
    // One of them stands in an example, and is none.
    let references = description.to_string().matches("\"$ref\":").count() - 1;
    let yaml = serde_saphyr::to_string(&description).expect("a description is a YAML document");
    for (name, text) in [("large.json", description.to_string()), ("large.yaml", yaml)] {
        let (inventory, warnings) =
            parse(name, text.as_bytes(), &mut NoLoader).map_err(|error| (name, error)).expect("a description");
        assert_eq!(warnings, [], "{name}");
        let counts = inventory.counts;
        assert_eq!((counts.operations, counts.paths, counts.schemas), (OPERATIONS, PATHS, SCHEMAS), "{name}");
        assert_eq!((counts.references, counts.unresolved_references), (references, 0), "{name}");
    }
}

#[test]
fn every_schema_of_a_large_description_declares_its_own_sample() {
    let (inventory, _) = crate::read(&large());
    let mut sampled = 0;
    let mut odd = Vec::new();
    for operation in &inventory.operations {
        let bodies = operation.body.iter().flat_map(|body| &body.media);
        let responses = operation.responses.iter().flat_map(|response| &response.media);
        for place in bodies.chain(responses).filter_map(|media| media.schema.as_ref()) {
            let value = sample(inventory.schema(place), Direction::Response);
            sampled += 1;
            odd.extend(undeclared(inventory.schema(place), &value));
        }
    }
    assert_eq!(sampled, SAMPLED);
    // The schema's own example is a reference that nothing resolves.
    odd.dedup();
    assert_eq!(odd, ["/$ref"]);
}
