//! The registry of users.

use futures::executor::block_on;
use serde_json::Value;
use todo_app::access::User;
use todo_app::accounts::{Shard, SignUp};
use todo_domain::{TimeZoneName, UserId};

use crate::{Fault, Sidecar, app};

const PASSWORD: &str = "correct horse";

/// The users that the registry names.
fn named(sidecar: &Sidecar) -> Vec<Value> {
    let world = sidecar.world.borrow();
    let shards = world.documents.iter().filter(|(key, _)| key.starts_with("users/"));
    shards.flat_map(|(_, (shard, _))| shard["users"].as_array().unwrap().clone()).collect()
}

fn sign_up(sidecar: &Sidecar) -> UserId {
    let new = SignUp {
        email: "ada@example.com".into(),
        name: "Ada".into(),
        password: PASSWORD.into(),
        time_zone: TimeZoneName::utc(),
        client_address: String::new(),
    };
    block_on(app(sidecar, 0).sign_up(new)).unwrap().profile.id
}

/// Makes the account one of a release without a registry.
fn age(sidecar: &Sidecar, id: UserId) {
    let mut world = sidecar.world.borrow_mut();
    world.documents.remove(&format!("users/{}", Shard::of(id)));
    let (account, _) = world.documents.get_mut(&format!("accounts/{id}")).unwrap();
    account.as_object_mut().unwrap().remove("registered");
}

#[test]
fn a_user_is_named_from_sign_up_to_deletion() {
    let sidecar = Sidecar::default();
    let id = sign_up(&sidecar);
    assert_eq!(named(&sidecar), [id.to_string()]);
    block_on(app(&sidecar, 0).delete_account(&User { id, time_zone: TimeZoneName::utc() })).unwrap();
    assert!(named(&sidecar).is_empty());
}

#[test]
fn an_account_of_an_older_release_is_named_at_its_next_sign_in_or_refresh() {
    let sidecar = Sidecar::default();
    let id = sign_up(&sidecar);
    age(&sidecar, id);
    let signed_in = block_on(app(&sidecar, 1).sign_in("ada@example.com", PASSWORD)).unwrap();
    assert_eq!(named(&sidecar), [id.to_string()]);

    age(&sidecar, id);
    let token = signed_in.refresh.unwrap().text();
    // What cannot be registered now is registered next time; the session goes on.
    sidecar.faults.borrow_mut().extend([Fault::Before, Fault::None, Fault::None]);
    let token = block_on(app(&sidecar, 2).refresh(&token)).unwrap().refresh.unwrap().text();
    assert!(named(&sidecar).is_empty());
    block_on(app(&sidecar, 3).refresh(&token)).unwrap();
    assert_eq!(named(&sidecar), [id.to_string()]);
    let account = sidecar.world.borrow().documents[&format!("accounts/{id}")].clone();
    assert_eq!(account.0["registered"], true);
}

#[test]
fn a_morning_is_planned_before_the_profile_is_changed() {
    let sidecar = Sidecar::default();
    let id = sign_up(&sidecar);
    let user = User { id, time_zone: TimeZoneName::utc() };
    let change = || todo_app::accounts::ProfileChange {
        time_zone: Some(TimeZoneName::parse("Asia/Tokyo").unwrap()),
        ..Default::default()
    };
    let before = sidecar.world.borrow().clone();
    // The account is read, and then the job cannot be made.
    sidecar.faults.borrow_mut().extend([Fault::Before, Fault::None]);
    assert_eq!(block_on(app(&sidecar, 0).change_profile(&user, None, change())).unwrap_err().status(), 503);
    assert_eq!(*sidecar.world.borrow(), before);
    block_on(app(&sidecar, 0).change_profile(&user, None, change())).unwrap();
    // 1 March, 09:00Z is 18:00 in Tokyo.
    assert_eq!(sidecar.world.borrow().jobs[&format!("daily-{id}")].0, "2026-03-01T22:00:00Z");
}
