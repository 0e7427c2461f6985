//! The jobs of reminders, in step with their tasks.

use futures::executor::block_on;
use proptest::prelude::*;
use serde_json::Value;
use todo_app::events::take_task_event;
use todo_domain::TaskId;

use crate::deeds::{deeds, play};
use crate::{Mess, Sidecar, app, delivery, mess, tasks, with_account};

/// Every event comes at the same time, so that the user's morning is the same.
const LATER: i64 = 10_000;

fn keep(sidecar: &Sidecar, event: &Value) -> bool {
    let app = app(sidecar, LATER);
    block_on(take_task_event(&delivery(event), async |event| app.keep_reminders(event).await)).is_ok()
}

proptest! {
    #![proptest_config(fuzzing::config(200))]

    #[test]
    fn any_deliveries_end_in_the_jobs_of_one_clean_delivery(deeds in deeds(), mess in mess()) {
        let clean = with_account();
        play(&clean, &deeds, 0);
        let messy = clean.copy();
        let events = clean.world.borrow().events.clone();
        events.iter().for_each(|event| assert!(keep(&clean, event)));
        mess.deliver(&messy, &events, |event| keep(&messy, event));
        prop_assert_eq!(&messy.world.borrow().jobs, &clean.world.borrow().jobs);
    }

    /// Each delivered while its task changes on, as in life.
    #[test]
    fn jobs_are_those_that_the_tasks_ask_for(deeds in deeds(), mess in mess()) {
        let sidecar = with_account();
        for (number, deed) in deeds.iter().enumerate() {
            let seen = sidecar.world.borrow().events.len();
            play(&sidecar, std::slice::from_ref(deed), i64::try_from(number).unwrap() * 180);
            let events = sidecar.world.borrow().events[seen..].to_vec();
            Mess { repeats: Vec::new(), ..mess.clone() }.deliver(&sidecar, &events, |event| keep(&sidecar, event));
        }
        // A change of other fields alone leaves the jobs as they are, so what has passed by then is left out here.
        let wanted: Vec<(TaskId, usize, String)> = tasks(&sidecar)
            .iter()
            .flat_map(|task| {
                let armed = task.armed_reminders().into_iter().enumerate();
                armed.filter_map(|(slot, at)| Some((task.id, slot, at?.to_string()))).collect::<Vec<_>>()
            })
            .collect();
        let world = sidecar.world.borrow();
        for (task, slot, at) in wanted {
            let job = world.jobs.get(&format!("reminder-{task}-{slot}"));
            prop_assert_eq!(job.map(|(time, _)| time), Some(&at));
        }
    }
}
