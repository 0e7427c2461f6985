//! What follows recurring tasks.

use futures::executor::block_on;
use proptest::prelude::*;
use serde_json::{Value, json};
use todo_app::events::take_task_event;
use todo_domain::list::{Command, MAX_TASKS};
use todo_domain::{DueDate, NewTask, Recurrence};

use crate::deeds::{deeds, play};
use crate::{Sidecar, app, command, commands, delivery, mess, tasks, with_account};

const LATER: i64 = 10_000;

fn follow(sidecar: &Sidecar, event: &Value) -> bool {
    let app = app(sidecar, LATER);
    block_on(take_task_event(&delivery(event), async |event| app.follow_completed_task(event).await)).is_ok()
}

proptest! {
    #![proptest_config(fuzzing::config(200))]

    #[test]
    fn any_deliveries_end_in_the_tasks_of_one_clean_delivery(deeds in deeds(), mess in mess()) {
        let clean = with_account();
        play(&clean, &deeds, 0);
        let messy = clean.copy();
        let events = clean.world.borrow().events.clone();
        events.iter().for_each(|event| assert!(follow(&clean, event)));
        mess.deliver(&messy, &events, |event| follow(&messy, event));
        prop_assert_eq!(tasks(&messy), tasks(&clean));
    }

    #[test]
    fn repeats_change_nothing_whatever_was_done_with_the_occurrences(
        first in deeds(),
        then in deeds(),
        mess in mess(),
    ) {
        let sidecar = with_account();
        play(&sidecar, &first, 0);
        let events = sidecar.world.borrow().events.clone();
        events.iter().for_each(|event| assert!(follow(&sidecar, event)));
        play(&sidecar, &then, LATER);
        let before = sidecar.world.borrow().clone();
        mess.deliver(&sidecar, &events, |event| follow(&sidecar, event));
        prop_assert_eq!(&*sidecar.world.borrow(), &before);
    }
}

#[test]
fn an_occurrence_that_a_full_list_has_no_room_for_waits_as_a_dead_letter() {
    let sidecar = with_account();
    let recurring = NewTask {
        title: "Milk".into(),
        due_date: DueDate::parse("2026-03-01").ok(),
        recurrence: Recurrence::parse("daily").unwrap(),
        ..NewTask::default()
    };
    command(&sidecar, 0, Command::create(recurring));
    let id = tasks(&sidecar)[0].id;
    let more = (1..MAX_TASKS).map(|_| Command::create(NewTask { title: "More".into(), ..NewTask::default() }));
    commands(&sidecar, 1, &more.collect::<Vec<_>>());
    command(&sidecar, 2, Command::Complete { id, expected_version: None });
    let event = sidecar.world.borrow().events.last().unwrap().clone();
    let taken = || {
        let (app, request) = (app(&sidecar, LATER), delivery(&event));
        let taken = take_task_event(&request, async |event| app.follow_completed_task(event).await);
        String::from_utf8(block_on(taken).unwrap().into_body()).unwrap()
    };
    let before = sidecar.world.borrow().clone();
    let refused = taken();
    assert!(refused.contains("DROP") && refused.contains("at most 10000 tasks"), "{refused}");
    assert_eq!(*sidecar.world.borrow(), before);

    command(&sidecar, 3, Command::Delete { id, expected_version: None });
    assert_eq!(taken(), "");
    assert_eq!(tasks(&sidecar).iter().filter(|task| task.title == "Milk").count(), 2);
}

#[test]
fn a_list_that_is_gone_gets_no_occurrence() {
    let sidecar = with_account();
    let event = json!({
        "eventId": "0190163d-8694-739b-aea5-966c26f8ad91", "eventType": "completed", "sequence": 3, "schemaVersion": 1,
        "taskId": "0190163d-8694-739b-aea5-966c26f8ad92", "userId": crate::user(), "timestamp": "2026-03-01T09:00:00Z",
        "payload": { "task": {
            "id": "0190163d-8694-739b-aea5-966c26f8ad92", "title": "Milk", "status": "completed", "version": 2,
            "createdAt": "2026-03-01T09:00:00Z", "updatedAt": "2026-03-01T09:00:00Z", "dueDate": "2026-03-01",
            "completedAt": "2026-03-01T09:00:00Z", "recurrence": "daily",
            "series": { "id": "0190163d-8694-739b-aea5-966c26f8ad92", "start": "2026-03-01", "occurrence": 1,
                "next": "0190163d-8694-739b-aea5-966c26f8ad93", "nextSince": 2 },
        }, "changed": ["status"] },
    });
    let before = sidecar.world.borrow().clone();
    assert!(follow(&sidecar, &event));
    assert_eq!(*sidecar.world.borrow(), before);
}
