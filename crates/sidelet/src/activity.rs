//! Whether there is work for an app: told at once, by whoever brings the work, to whoever listens.

use tokio::{sync::watch, time::Instant};

/// Whether something waits for an app or is on its way to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Activity {
    /// Whether it does now.
    pub(crate) busy: bool,
    /// Since when. None: it was never otherwise.
    pub(crate) since: Option<Instant>,
}

/// What a worker tells of itself. While nothing changes it costs nothing.
#[derive(Debug)]
pub(crate) struct Work {
    activity: watch::Sender<Activity>,
}

impl Default for Work {
    fn default() -> Self {
        Self { activity: watch::Sender::new(Activity { busy: false, since: None }) }
    }
}

impl Work {
    /// Says whether there is something to do now.
    pub(crate) fn tell(&self, busy: bool) {
        self.activity.send_if_modified(|activity| {
            let changes = activity.busy != busy;
            if changes {
                *activity = Activity { busy, since: Some(Instant::now()) };
            }
            changes
        });
    }

    /// Whether there is something to do now.
    pub(crate) fn is_busy(&self) -> bool {
        self.activity.borrow().busy
    }

    /// Hears of every change from now on.
    pub(crate) fn listen(&self) -> watch::Receiver<Activity> {
        self.activity.subscribe()
    }
}
