//! Measures what the service does on every request, over a list of 10,000 tasks and over a full head.
//!
//! `cargo run --release -p todo-domain --example measure_lists`

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use todo_domain::list::{Command, CommandError, DocumentKey, ReadError, TaskList};
use todo_domain::query::{ListQuery, Order, SearchQuery, Sort, TagCount};
use todo_domain::{DueDate, NewTask, Priority, Status, TimeZoneName, UserId};
use uuid::Uuid;

const ROUNDS: u32 = 40;

fn main() {
    let user_id = UserId::new(Uuid::from_u128(1));
    let now = Timestamp::from_second(1_790_000_000).expect("a time of this century");
    let mut last_id = 0x0190_0000_0000_7000_8000_0000_0000_0000_u128;
    let mut ids = move || {
        last_id += 1 << 80;
        Uuid::from_u128(last_id)
    };

    let mut list = TaskList::empty(user_id);
    let mut head_of_128 = String::new();
    for number in 0..9_990 {
        let at = now + SignedDuration::from_mins(number);
        let outcome = list.apply(&Command::create(task(number)), at, &mut ids).expect("a task fits");
        if number == 127 {
            head_of_128 = outcome.writes[0].json.clone().expect("a head is written");
        }
    }
    let now = now + SignedDuration::from_mins(10_001);
    let head = list.head_json();
    let pages: Vec<_> = list.pages().iter().map(|page| page.number).collect();
    let texts: Vec<_> = {
        let bytes = ListQuery { sort: Sort::Title, ..ListQuery::default() };
        bytes.run(&list, now).expect("all pages are loaded");
        pages.iter().map(|number| (*number, list.page_json(*number).expect("it is loaded").to_owned())).collect()
    };
    let size: usize = texts.iter().map(|(_, text)| text.len()).sum();
    println!("{} pages of {} kB in all; head {} kB", pages.len(), size / 1000, head.len() / 1000);

    let whole = || {
        let mut list = TaskList::parse(user_id, &head).expect("the head is ours");
        for (number, text) in &texts {
            list.load_page(*number, text.clone());
        }
        list
    };
    let search = |text: &str| SearchQuery { text: Some(text.to_owned()), ..SearchQuery::default() };
    time("search in 10,000", || search("RENT 77").run(&whole(), now).map(|page| page.total).ok());
    time("search in 10,000, not ASCII", || search("fenêtre").run(&whole(), now).map(|page| page.total).ok());
    let by_due = SearchQuery { sort: Sort::DueDate, limit: Some(100), ..SearchQuery::default() };
    time("sort 10,000 by due date, 100 of them", || by_due.run(&whole(), now).map(|page| page.total).ok());
    let by_title = ListQuery { sort: Sort::Title, order: Some(Order::Descending), ..ListQuery::default() };
    time("sort 10,000 by title, 100 of them", || by_title.run(&whole(), now).map(|page| page.total).ok());
    let tagged = ListQuery { tags: vec!["home".to_owned()], ..ListQuery::default() };
    time("tag in 10,000, 100 of them", || tagged.run(&whole(), now).map(|page| page.total).ok());
    time("tags of 10,000", || TagCount::of(&whole()).map(|tags| tags.len()).ok());

    let parse_head = || TaskList::parse(user_id, &head_of_128).expect("the head is ours");
    time("newest 100, from a head of 128", || {
        ListQuery::default().run(&parse_head(), now).map(|page| page.items.len()).ok()
    });
    time("parse a head of 128", || parse_head().counts().total());
    let last_page = texts.last().expect("there are pages").1.clone();
    let create = Command::create(task(5));
    time("create into a head of 128, which spills", || {
        let outcome = parse_head().apply(&create, now, &mut ids).expect("a task fits");
        outcome.writes.len()
    });
    let head_of_100 = head.clone();
    time("create into a head behind 40 pages", || {
        let mut list = TaskList::parse(user_id, &head_of_100).expect("the head is ours");
        let outcome = match list.apply(&create, now, &mut ids) {
            Err(CommandError::TooManyTasks) => return 0,
            Err(CommandError::Read(ReadError::PagesNeeded(numbers))) => {
                list.load_page(numbers[0], last_page.clone());
                list.apply(&create, now, &mut ids)
            }
            other => other,
        };
        outcome.expect("a task fits").writes.iter().filter(|write| write.key == DocumentKey::Head).count()
    });
    let mut half = TaskList::empty(user_id);
    for number in 0..100 {
        half.apply(&Command::create(task(number)), now, &mut ids).expect("a task fits");
    }
    let head_of_100 = half.head_json();
    time("create into a head of 100", || {
        let mut list = TaskList::parse(user_id, &head_of_100).expect("the head is ours");
        list.apply(&create, now, &mut ids).expect("a task fits").writes.len()
    });
}

fn task(number: i64) -> NewTask {
    let due = Timestamp::from_second(1_790_000_000 + number * 3_600).expect("a time of this century");
    NewTask {
        title: format!("Pay the rent {number} of the flat"),
        description: (number % 2 == 0).then(|| {
            format!(
                "Number {number}: transfer it from the savings account, then tell the landlord, and close la fenêtre."
            )
        }),
        status: if number % 3 == 0 { Status::Completed } else { Status::Pending },
        priority: if number % 5 == 0 { Priority::High } else { Priority::Medium },
        tags: vec![if number % 7 == 0 { "Home" } else { "work" }.to_owned(), format!("tag{}", number % 40)],
        due_date: match number % 3 {
            0 => None,
            1 => Some(DueDate::At(due)),
            _ => DueDate::parse(&due.to_string()[..10]).ok(),
        },
        time_zone: TimeZoneName::parse("Europe/Berlin").expect("a zone"),
        ..NewTask::default()
    }
}

fn time<T: std::fmt::Debug>(what: &str, mut run: impl FnMut() -> T) {
    let mut best = Duration::MAX;
    let mut answer = None;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        answer = Some(std::hint::black_box(run()));
        best = best.min(start.elapsed());
    }
    println!("{:>10.1} µs  {what} -> {answer:?}", best.as_secs_f64() * 1e6);
}
