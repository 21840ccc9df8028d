//! What is sent instead.

use super::*;

#[track_caller]
fn grants(wish: Wish, current: Value, wanted: Value) {
    let current = Some(&current).filter(|c| !c.is_null());
    assert_eq!(value_for(&wish, current), Some(wanted), "{wish:?} of {current:?}");
}

#[test]
fn values_stay_close_to_the_current_one() {
    grants(Wish::Integer, json!("12"), json!(12));
    grants(Wish::Integer, json!(2.7), json!(2));
    grants(Wish::Integer, json!("abc"), json!(1));
    grants(Wish::Number, json!("1.5"), json!(1.5));
    grants(Wish::Boolean, json!("false"), json!(false));
    grants(Wish::Boolean, json!(1), json!(true));
    grants(Wish::Text, json!(5), json!("5"));
    grants(Wish::Date, json!("2023-04-05T10:00:00Z"), json!("2023-04-05"));
    grants(Wish::DateTime, json!("2023-04-05"), json!("2023-04-05T12:00:00Z"));
    grants(Wish::Date, json!("ab\u{fc}"), json!("2024-01-15"));
    grants(Wish::Email, json!("bob"), json!("bob@example.com"));
    grants(Wish::AtLeast(1.0), json!(0), json!(1));
    grants(Wish::AtLeast(1.0), json!(500), json!(500));
    grants(Wish::AtLeast(0.5), Value::Null, json!(1));
    grants(Wish::AtMost(100.0), json!("500"), json!(100));
    grants(Wish::AtLeastLong(5), json!("bob"), json!("bobbb"));
    grants(Wish::AtLeastLong(2), json!([7]), json!([7, 7]));
    grants(Wish::AtMostLong(2), json!("f\u{fc}nf"), json!("f\u{fc}"));
    grants(Wish::List, json!("x"), json!(["x"]));
    grants(Wish::Object, json!("x"), json!({}));
    grants(one_of(&["asc", "desc"]), json!("DESC"), json!("desc"));
    grants(one_of(&["asc", "desc"]), json!("x"), json!("asc"));
    grants(one_of(&["10", "20"]), json!(5), json!(10));
}

#[test]
fn no_value_without_a_hint() {
    assert_eq!(value_for(&Wish::Present, None), None);
    assert_eq!(value_for(&Wish::Absent, Some(&json!(1))), None);
    assert_eq!(value_for(&one_of(&[]), Some(&json!("x"))), None);
    assert_eq!(value_for(&Wish::AtLeastLong(usize::MAX), None), None);
}

#[test]
fn texts_match_the_patterns_they_are_made_for() {
    for (source, wanted) in [
        (r"^[A-Z]{2}$", "AA"),
        (r"/^[a-z0-9_-]{3,16}$/i", "aaa"),
        (r"^\d{4}-\d{2}$", "1111-11"),
        (r"^(?:foo|bar)-\w+$", "foo-a"),
        (r"^\+?[1-9]\d{1,14}$", "+11"),
        (r"^[^\s@]+@[^\s@]+\.[^\s@]+$", "a@a.a"),
    ] {
        assert_eq!(value_for(&Wish::Matching(source.into()), None), Some(json!(wanted)), "{source}");
    }
    grants(Wish::Matching("^[a-z]+$".into()), json!("kept"), json!("kept"));
    for hard in [r"^(?=.*\d).{8,}$", "(", r"^a{100000}$", r"^[a-z", r"^\p{Lu}$"] {
        assert_eq!(value_for(&Wish::Matching(hard.into()), None), None, "{hard}");
    }
}
