//! Bodies that are answered.

use serde::Serialize;
use serde_json::{Value, json};
use todo_app::access::{self, AccessToken, FeedSecret, SigningKey};
use todo_app::accounts::{Account, ApiTokenBody, Profile, SignedIn};
use todo_app::activity::ActivityBody;
use todo_app::export::{AccountBody, EXPORT_VERSION, ExportBody};
use todo_app::http::problem::{Problem, kind};
use todo_app::import::{LineError, Report};
use todo_app::wire::{
    BulkBody, BulkResultBody, Dependencies, FeedBody, HealthBody, QuickTaskBody, SearchBody, SignedInBody, TagBody,
    TaskBody,
};
use todo_domain::DayTime;
use todo_domain::ValidationError;

use super::documents::{self, id_of_token};
use super::requests;
use super::story::{Story, now};

/// In the place of 256 random bits.
const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Each answer by its operation and status.
pub(super) fn all(story: &Story) -> Vec<(String, Value)> {
    let task = value(&TaskBody::new(&story.made, now()));
    let completed = value(&TaskBody::new(&story.completed, now()));
    let signed_in = signed_in(story);
    let tokens = value(&SignedInBody::from(&signed_in));
    let up = Dependencies { sidecar: true.into(), store: true.into() };
    let away = Dependencies { sidecar: true.into(), store: false.into() };
    let found =
        SearchBody { items: vec![TaskBody::new(&story.completed, now())], total: 1, page: 1, limit: 10, pages: 1 };
    let report = Report {
        created: 2,
        skipped: 1,
        errors: vec![LineError { line: 3, message: "title: give a title of 1 to 255 characters".to_owned() }],
    };
    let (quick, understood) = &story.quick;
    let id = story.made.id.to_string();
    let bulk = BulkBody {
        results: vec![
            BulkResultBody { id: &id, status: 200, message: None },
            BulkResultBody { id: "not-an-id", status: 404, message: Some("There is no such task.".to_owned()) },
        ],
    };
    let account: Account = documents::read(&documents::account(story));
    let export = ExportBody {
        version: EXPORT_VERSION,
        exported_at: now(),
        account: Some(AccountBody::from(&account)),
        tasks: vec![TaskBody::new(&story.completed, now())],
        trash: vec![TaskBody::new(&story.trashed, now())],
    };
    let text = format!("todo_{}.{}.{SECRET}", story.user.id, id_of_token());
    let made = account.api_tokens.first().expect("the sample account has a token").body();
    let token = ApiTokenBody { token: Some(text), ..made };
    let feed = FeedSecret::parse(&format!("{}.{SECRET}", story.user.id)).expect("the sample is a feed's");
    let feed = FeedBody::new(&feed);
    let tags =
        [TagBody { tag: "home".to_owned(), open: 0, total: 1 }, TagBody { tag: "money".to_owned(), open: 0, total: 1 }];

    let activity: Vec<ActivityBody<'_>> = story.events[..4].iter().rev().map(ActivityBody::of).collect();

    let mut all: Vec<(String, Value)> = [
        ("create_task.201", task.clone()),
        ("get_task.200", task.clone()),
        ("list_tasks.200", json!([completed])),
        ("search_tasks.200", value(&found)),
        ("update_task.200", value(&TaskBody::new(&story.changed, now()))),
        ("complete_task.200", completed),
        ("reopen_task.200", task.clone()),
        ("list_tags.200", value(&tags)),
        ("get_health.200", value(&HealthBody { status: true.into(), dependencies: up })),
        ("get_health.503", value(&HealthBody { status: false.into(), dependencies: away })),
        ("change_tasks.200", value(&bulk)),
        ("quick_add_task.201", value(&QuickTaskBody::new(quick, understood, now()))),
        ("list_trash.200", value(&[TaskBody::new(&story.trashed, now())])),
        ("restore_task.200", task),
        ("export_tasks.200", value(&export)),
        ("create_api_token.201", value(&token)),
        ("list_api_tokens.200", value(&[ApiTokenBody { token: None, ..token }])),
        ("open_calendar_feed.201", value(&feed)),
        ("list_activity.200", value(&activity)),
        ("list_task_activity.200", value(&activity[1..])),
        ("import_tasks.200", value(&report)),
        ("sign_up.201", tokens.clone()),
        ("sign_in.200", tokens.clone()),
        ("refresh.200", tokens.clone()),
        ("update_profile.200", tokens),
        ("get_profile.200", value(&signed_in.profile)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    all.extend(problems());
    all
}

/// One problem of every kind. Which status a kind comes with is said by where it is made; here it is the most usual.
fn problems() -> Vec<(String, Value)> {
    let mut problems = Vec::new();
    for kind in kind::ALL {
        let problem = if *kind == kind::INVALID {
            Problem::invalid(ValidationError::of("title", "give a title of 1 to 255 characters"))
        } else {
            Problem::new(400, *kind).detail("What to do about it.")
        };
        let body = serde_json::from_slice(problem.into_response().body()).expect("a problem is JSON");
        problems.push((format!("problems/{}", kind.code), body));
    }
    problems
}

fn signed_in(story: &Story) -> SignedIn {
    let key = SigningKey::parse(&"k".repeat(access::SIGNING_KEY_MIN)).expect("the key is long enough");
    let access: AccessToken = access::issue(&key, &story.user, Some(documents::id_of_session()), now());
    let sign_up = requests::sign_up();
    let text = |name: &str| sign_up[name].as_str().unwrap_or_default().to_owned();
    let profile = Profile {
        id: story.user.id,
        email: text("email"),
        name: text("name"),
        time_zone: story.user.time_zone.clone(),
        digest_time: Some(DayTime::DIGEST),
        email_notifications: false,
        created_at: now(),
    };
    SignedIn { access, refresh: None, profile }
}

fn value<B: Serialize + ?Sized>(body: &B) -> Value {
    serde_json::to_value(body).expect("wire types have text keys and finite numbers")
}
