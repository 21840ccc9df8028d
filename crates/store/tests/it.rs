//! Scans under a state folder: which are kept, which is the newest, which are none.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use model::Scan;
use store::{KEEP, OutputFile, Store, StoreError};

/// A scan of an id that says when it was: the first digits of a UUIDv7 are its time.
fn scan(number: u32) -> Scan {
    serde_json::from_value(serde_json::json!({
        "schema_version": 1,
        "id": format!("{number:08x}-0000-7000-8000-000000000000"),
        "tool": { "name": "middlebrick", "version": "0" },
        "target": { "given": "http://127.0.0.1/", "origin": null, "base_path": "", "loopback": true },
        "started_at": "2026-01-01T00:00:00Z",
        "duration_ms": 0,
        "mode": "safe",
        "seed": 0,
        "outcome": { "state": "interrupted" },
        "gate": [],
        "requests": { "total": 0, "sign_in": 0, "survey": 0, "check": 0 },
        "identities": [],
        "inventory": {
            "format": null, "title": null, "version": null,
            "operations": 0, "reading": 0, "references": 0, "warnings": [],
        },
        "coverage": model::scan::Coverage::default(),
        "set_aside": [],
        "leftovers": [],
        "score": { "points": 100, "risk": 0, "grade": null, "categories": {}, "deductions": [], "method": 1 },
        "findings": [],
        "exchanges": {},
        "warnings": [],
    }))
    .expect("the object is a scan")
}

fn keep(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("tests keep some")
}

fn numbers(store: &Store) -> Vec<u32> {
    store.ids().iter().map(|id| u32::from_str_radix(&id[..8], 16).expect("a number")).collect()
}

fn folder(state: &Path) -> std::path::PathBuf {
    state.join("middlebrick/scans")
}

#[test]
fn the_newest_scans_are_kept_and_the_one_just_written_always() {
    let state = tempfile::tempdir().unwrap();
    let store = Store::below(state.path());
    assert!(store.ids().is_empty() && store.newest().scan.is_none());
    for number in 10..16 {
        store.save(&scan(number), keep(4)).unwrap();
    }
    assert_eq!(numbers(&store), [12, 13, 14, 15]);
    // A clock that went back makes an id that sorts first.
    store.save(&scan(1), keep(3)).unwrap();
    assert_eq!(numbers(&store), [1, 14, 15]);
    store.save(&scan(2), keep(1)).unwrap();
    assert_eq!(numbers(&store), [2]);
    store.save(&scan(2), KEEP).unwrap();
    assert_eq!(numbers(&store), [2], "written again");
    assert_eq!(store.newest().scan, Some(scan(2)));
}

#[test]
fn nothing_but_scans_is_removed() {
    let state = tempfile::tempdir().unwrap();
    let store = Store::below(state.path());
    let folder = folder(state.path());
    store.save(&scan(1), KEEP).unwrap();
    let others = ["notes.json", "00000000.json", "a.txt", "0000000100007000800000000000000a.json", ".hidden"];
    for name in others {
        fs::write(folder.join(name), "mine").unwrap();
    }
    let in_the_way = folder.join("00000000-0000-7000-8000-00000000000a.json");
    fs::create_dir(&in_the_way).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("notes.json", folder.join("00000000-0000-7000-8000-00000000000b.json")).unwrap();
    store.save(&scan(2), keep(1)).unwrap();
    assert_eq!(numbers(&store), [2]);
    for name in others {
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), "mine", "{name}");
    }
    assert!(in_the_way.is_dir());
}

#[test]
fn damaged_scans_are_named_and_the_newest_whole_one_is_returned() {
    let state = tempfile::tempdir().unwrap();
    let store = Store::below(state.path());
    for number in 1..=4 {
        store.save(&scan(number), KEEP).unwrap();
    }
    let path = |number: u32| folder(state.path()).join(format!("{}.json", scan(number).id));
    fs::write(path(4), "{").unwrap();
    fs::write(path(2), "").unwrap();
    let whole = fs::read(path(3)).unwrap();
    fs::write(path(3), &whole[..whole.len() - 1]).unwrap();
    let newest = store.newest();
    assert_eq!(newest.scan, Some(scan(1)));
    let named = newest.damaged.iter().map(|error| match error {
        StoreError::NoScan { path, .. } => path.clone(),
        _ => panic!("{error}"),
    });
    assert_eq!(named.collect::<Vec<_>>(), [path(4), path(3), path(2)]);
}

#[test]
fn unfinished_files_of_killed_processes_go_and_those_of_running_ones_stay() {
    let state = tempfile::tempdir().unwrap();
    let store = Store::below(state.path());
    store.save(&scan(1), KEEP).unwrap();
    let unfinished = |name: &str| folder(state.path()).join(format!(".middlebrick-{name}.unfinished"));
    fs::write(unfinished("fresh"), "{").unwrap();
    fs::write(unfinished("old"), "{").unwrap();
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(7200);
    fs::File::options().append(true).open(unfinished("old")).unwrap().set_modified(long_ago).unwrap();
    store.save(&scan(2), KEEP).unwrap();
    assert!(unfinished("fresh").exists() && !unfinished("old").exists());
    assert_eq!(numbers(&store), [1, 2]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_scans_and_their_folder() {
    use std::os::unix::fs::PermissionsExt;
    let state = tempfile::tempdir().unwrap();
    let path = Store::below(state.path()).save(&scan(1), KEEP).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&folder(state.path()))), (0o600, 0o700));
}

#[test]
fn processes_that_save_at_once_lose_nothing() {
    let state = tempfile::tempdir().unwrap();
    let store = Store::below(state.path());
    std::thread::scope(|scope| {
        for number in 1..=16 {
            let store = store.clone();
            scope.spawn(move || store.save(&scan(number), keep(20)).unwrap());
        }
    });
    assert_eq!(numbers(&store), (1..=16).collect::<Vec<_>>());
    assert_eq!(store.newest().scan, Some(scan(16)));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_whose_folder_takes_no_other_is_overwritten() {
    // The name of this process; nothing can be made beside it.
    let path = Path::new("/proc/self/comm");
    OutputFile::open(path).unwrap().write(b"{}").unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "{}\n");
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_links_and_its_owner_and_is_never_seen_in_part() {
    use std::os::unix::fs::{MetadataExt, chown};
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    fs::write(&real, "old").unwrap();
    std::os::unix::fs::symlink("real", &link).unwrap();
    // Only who may give files away can show that the owner stays.
    _ = chown(&real, Some(1234), Some(1234));
    let before = fs::metadata(&real).unwrap();
    let opened = OutputFile::open(&link).unwrap();
    let (long, longer) = (vec![b'a'; 3 << 20], vec![b'b'; 4 << 20]);
    opened.write(&long).unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            (0..200).all(|_| [long.len(), longer.len()].contains(&fs::read(&link).map_or(0, |bytes| bytes.len())))
        });
        for _ in 0..20 {
            opened.write(&longer).unwrap();
            opened.write(&long).unwrap();
        }
        assert!(reader.join().expect("it reads"), "a file was seen in part");
    });
    let after = fs::metadata(&real).unwrap();
    assert_eq!((after.uid(), after.gid(), after.mode() & 0o777), (before.uid(), before.gid(), 0o600));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}
