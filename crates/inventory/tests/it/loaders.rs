use std::fs;
use std::path::{Path, PathBuf};

use inventory::{Folder, Inventory, Loader, NoLoader, Warning, parse};

const ROOT: &str = "
openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /a: {$ref: 'paths/a.yaml'}
  /b:
    get:
      responses:
        '200': {description: ok, content: {application/json: {schema: {$ref: './schemas.yaml#/B'}}}}
";
const PATH_ITEM: &str = "
get:
  parameters: [{$ref: '../schemas.yaml#/parameter'}]
  responses: {}
";
const SCHEMAS: &str = "
B: {type: object, properties: {next: {$ref: '#/B'}, other: {$ref: 'api.yaml#/info'}, name: {$ref: '#text'}}}
text: {$anchor: text, type: string}
parameter: {name: q, in: query, schema: {type: string}}
";

/// Documents in memory.
struct Memory(&'static [(&'static str, &'static str)], Vec<String>);

impl Loader for Memory {
    fn load(&mut self, uri: &str) -> Result<Vec<u8>, String> {
        self.1.push(uri.to_owned());
        let found = self.0.iter().find(|(name, _)| *name == uri);
        found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| "there is none".to_owned())
    }
}

fn load(uri: &str, text: &str, loader: &mut dyn Loader) -> (Inventory, Vec<Warning>) {
    parse(uri, text.as_bytes(), loader).expect("the text is a description")
}

/// A folder of its own for one test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("inventory-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("api/paths")).expect("the folder can be made");
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("the file can be written");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("the folder can be removed");
    }
}

#[test]
fn a_description_over_several_documents_reads_as_one() {
    let documents = &[("https://a.example/v1/paths/a.yaml", PATH_ITEM), ("https://a.example/v1/schemas.yaml", SCHEMAS)];
    let mut loader = Memory(documents, Vec::new());
    let (inventory, warnings) = load("https://a.example/v1/api.yaml", ROOT, &mut loader);
    assert_eq!(warnings, []);
    assert_eq!(loader.1, ["https://a.example/v1/paths/a.yaml", "https://a.example/v1/schemas.yaml"]);
    assert_eq!(inventory.operations[0].parameters[0].name, "q");
    assert_eq!(inventory.operations[0].pointer, "https://a.example/v1/paths/a.yaml#/get");
    let schema = inventory.operations[1].responses[0].media[0].schema.clone().expect("the response has a schema");
    let schema = inventory.schema(&schema);
    let next = schema.property("next").expect("the schema names `next`");
    assert_eq!(next.at(), schema.at());
    assert_eq!(schema.property("name").expect("the schema names `name`").types(), ["string"]);
    let other = schema.property("other").expect("the schema names `other`");
    assert_eq!(other.value()["title"], "T");
}

#[test]
fn a_refused_document_is_one_warning_however_often_it_is_referred_to() {
    let text = "openapi: 3.0.0\ninfo: {}\npaths: {/a: {$ref: 'x.yaml#/a'}, /b: {$ref: 'x.yaml#/b'}, /c: {get: {}}}";
    let (inventory, warnings) = load("api.yaml", text, &mut NoLoader);
    assert_eq!(inventory.counts.unresolved_references, 2);
    assert_eq!(inventory.operations.len(), 1);
    let [warning] = warnings.as_slice() else { panic!("{warnings:#?}") };
    assert_eq!(warning.pointer, "/paths/~1a");
    assert_eq!(warning.message, "the document `x.yaml` is left out: references to other documents are not followed");
}

#[test]
fn a_document_that_is_no_json_or_yaml_is_left_out() {
    let mut loader = Memory(&[("x", "<html></html>")], Vec::new());
    let (_, warnings) = load("api", "openapi: 3.0.0\ninfo: {}\npaths: {/a: {$ref: x}}", &mut loader);
    assert!(warnings[0].message.contains("it looks like an HTML page"), "{}", warnings[0]);
}

#[test]
fn a_folder_gives_what_lies_below_it() {
    let scratch = Scratch::new("below");
    let root = scratch.write("api/api.yaml", ROOT);
    scratch.write("api/paths/a.yaml", PATH_ITEM);
    scratch.write("api/schemas.yaml", SCHEMAS);
    let (inventory, warnings) = load(&root.to_string_lossy(), ROOT, &mut Folder::of(&root));
    assert_eq!(warnings, []);
    assert_eq!(inventory.description.documents().len(), 3);
}

#[test]
fn a_folder_refuses_what_lies_outside() {
    let scratch = Scratch::new("outside");
    let root = scratch.write("api/api.yaml", "");
    scratch.write("secret.yaml", "a: {type: string}");
    #[cfg(unix)]
    std::os::unix::fs::symlink(scratch.0.join("secret.yaml"), scratch.0.join("api/link.yaml")).expect("a link");
    let file_url = format!("file://{}/secret.yaml#/a", scratch.0.display());
    for (reference, reason) in [
        ("../secret.yaml#/a", "it lies outside the folder of the description"),
        ("link.yaml#/a", "it lies outside the folder of the description"),
        ("paths/../../secret.yaml#/a", "it lies outside the folder of the description"),
        ("%2e%2e/secret.yaml", "it lies outside the folder of the description"),
        ("/etc/passwd", "it lies outside the folder of the description"),
        (file_url.as_str(), "it lies outside the folder of the description"),
        ("file://other.example/share/x", "it names a file on another machine"),
        ("http://169.254.169.254/latest", "references by URL are not followed"),
        ("paths", "it is not a file"),
        ("none.yaml", "the file cannot be read"),
    ] {
        let text = format!("openapi: 3.0.0\ninfo: {{}}\npaths: {{/a: {{$ref: '{reference}'}}}}");
        let (inventory, warnings) = load(&root.to_string_lossy(), &text, &mut Folder::of(Path::new(&root)));
        assert_eq!(inventory.description.documents().len(), 1, "{reference}");
        assert_eq!(warnings.len(), 1, "{reference}: {warnings:#?}");
        assert!(warnings[0].message.contains(reason), "{reference}: {}", warnings[0]);
    }
}
