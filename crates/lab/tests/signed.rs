//! Every verifier of `e2e/signing`: a scan finds the defect of each under its own name, and says
//! nothing wrong of any.

use lab::signed::{Told, tell, verifiers};

#[tokio::test(flavor = "multi_thread")]
async fn each_defect_is_found_under_its_own_name_and_nothing_else_is() {
    let told = tell(&verifiers().unwrap()).await.unwrap();
    let wrong: Vec<String> =
        told.iter().flat_map(|t| t.wrong.iter().map(|w| format!("{}: {w}", t.verifier.name))).collect();
    assert_eq!(wrong, Vec::<String>::new(), "findings that the verifier does not deserve");
    let is_missed = |t: &&Told| !t.verifier.is_sound() && t.found.is_empty();
    let not_found: Vec<&str> = told.iter().filter(is_missed).map(|t| t.verifier.name.as_str()).collect();
    assert_eq!(not_found, Vec::<&str>::new(), "defects that are not found");
}
