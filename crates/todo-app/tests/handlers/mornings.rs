//! Jobs that fire: reminders, and each user's morning.

use futures::executor::block_on;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use todo_app::events::take_task_event;
use todo_app::http::Request;
use todo_domain::list::Command;
use todo_domain::{DueDate, NewTask};

use crate::deeds::{deeds, play};
use crate::{BEGIN, Fault, Sidecar, app, commands, mess, with_account};

const LATER: i64 = 10_000;

/// Fires a job until it is taken.
fn fire(sidecar: &Sidecar, seconds: i64, name: &str, data: &Value) {
    let request = Request::new(data.to_string().into_bytes());
    while block_on(app(sidecar, seconds).take_job(name, &request)).is_err() {}
}

#[test]
fn a_message_that_is_refused_is_given_up_and_one_that_meets_no_broker_is_not() {
    let sidecar = with_account();
    let take = |topic: &str| {
        let message = json!({ "topic": topic, "key": "k", "type": "todo.test", "data": {} });
        block_on(app(&sidecar, LATER).take_job("later-one", &Request::new(message.to_string().into_bytes())))
    };
    assert!(take(&"t".repeat(300)).is_ok());
    sidecar.broker_is_away.set(true);
    assert!(take("reminders").is_err());
    sidecar.broker_is_away.set(false);
    assert!(take("reminders").is_ok());
    assert_eq!(sidecar.world.borrow().published.keys().collect::<Vec<_>>(), ["one"]);
}

proptest! {
    #![proptest_config(fuzzing::config(200))]

    #[test]
    fn a_morning_that_is_broken_off_is_the_morning_that_was_not(deeds in deeds(), mess in mess()) {
        let clean = with_account();
        play(&clean, &deeds, 0);
        let messy = clean.copy();
        let job = format!("daily-{}", crate::user());
        fire(&clean, LATER, &job, &json!({}));
        let mut faults = mess.faults.clone();
        faults.truncate(40);
        messy.faults.borrow_mut().clone_from(&faults);
        fire(&messy, LATER, &job, &json!({}));
        messy.faults.borrow_mut().clear();
        // Once more, late, as after a lost acknowledgement.
        fire(&messy, LATER, &job, &json!({}));
        let (messy, clean) = (messy.world.borrow(), clean.world.borrow());
        prop_assert_eq!((&messy.published, &messy.jobs), (&clean.published, &clean.jobs));
        prop_assert!(messy.jobs.contains_key(&job) && messy.published.len() <= 1);
    }

    #[test]
    fn each_reminder_is_published_under_one_id_however_often_its_job_fires(deeds in deeds(), repeats in 1..4_usize) {
        let sidecar = with_account();
        play(&sidecar, &deeds, 0);
        let events = sidecar.world.borrow().events.clone();
        for event in &events {
            let app = app(&sidecar, LATER);
            let request = crate::delivery(event);
            let taken = take_task_event(&request, async |event| app.keep_reminders(event).await);
            assert!(block_on(taken).is_ok());
        }
        let jobs = sidecar.world.borrow().jobs.clone();
        let reminders: Vec<_> = jobs.iter().filter(|(name, _)| name.starts_with("reminder-")).collect();
        for _ in 0..repeats {
            reminders.iter().for_each(|(name, (_, data))| fire(&sidecar, LATER, name, data));
        }
        let world = sidecar.world.borrow();
        prop_assert_eq!(world.published.len(), reminders.len());
        prop_assert!(world.published.values().all(|(told, _)| told == "reminders todo.reminder"));
    }
}

#[test]
fn a_morning_makes_the_soonest_reminders_anew_and_no_more_than_it_has_time_for() {
    let sidecar = with_account();
    let task = |minutes: i64| {
        let due = Timestamp::from_second(BEGIN + minutes * 60).unwrap();
        let draft = NewTask { due_date: DueDate::try_at(due), reminders: vec![0], ..NewTask::default() };
        Command::create(NewTask { title: minutes.to_string(), ..draft })
    };
    // The last of them is behind the two days.
    let minutes = (0..700).rev().chain([2 * 24 * 60 + 1]);
    commands(&sidecar, 0, &minutes.map(|minutes| task(minutes + 1)).collect::<Vec<_>>());
    fire(&sidecar, 0, &format!("daily-{}", crate::user()), &json!({}));
    let world = sidecar.world.borrow();
    let reminders = world.jobs.iter().filter(|(name, _)| name.starts_with("reminder-"));
    let mut times: Vec<&str> = reminders.map(|(_, (time, _))| time.as_str()).collect();
    times.sort_unstable();
    assert_eq!((times.len(), times[0], times[499]), (500, "2026-03-01T09:01:00Z", "2026-03-01T17:20:00Z"));
}

#[test]
fn a_user_who_is_gone_has_no_further_morning() {
    let sidecar = Sidecar::default();
    fire(&sidecar, 0, &format!("daily-{}", crate::user()), &json!({}));
    assert!(sidecar.world.borrow().jobs.is_empty());
}

#[test]
fn the_walk_plans_the_mornings_that_are_missing_and_moves_none() {
    let sidecar = with_account();
    let shard = todo_app::accounts::Shard::of(crate::user());
    let registered = json!({ "users": [crate::user(), "0190163d-8694-739b-aea5-966c26f8ad91"] });
    sidecar.world.borrow_mut().documents.insert(format!("users/{shard}"), (registered, 1));
    sidecar.faults.borrow_mut().push(Fault::Before);
    assert!(block_on(app(&sidecar, 0).begin_walk()).is_err());
    block_on(app(&sidecar, 0).begin_walk()).unwrap();
    let names = |sidecar: &Sidecar| sidecar.world.borrow().jobs.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&sidecar), [format!("rearm-{shard}")]);

    let daily = format!("daily-{}", crate::user());
    for seconds in [0, 86_400] {
        fire(&sidecar, seconds, &format!("rearm-{shard}"), &json!({}));
        assert_eq!(names(&sidecar), [daily.clone(), format!("rearm-{shard}")]);
        // 1 March, 09:00Z is 22:00 in Auckland.
        assert_eq!(sidecar.world.borrow().jobs[&daily].0, "2026-03-01T18:00:00Z");
    }
}
