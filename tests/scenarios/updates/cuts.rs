//! Connections that break off, and a service that starts anew.

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use testkit::{Todo, Updates, User};

const WRITES: u64 = 400;

/// Reads a user's stream, drops the connection again and again, and gives the numbers of all changes that were told.
async fn listen(user: User) -> Result<Vec<u64>> {
    let (mut told, mut last) = (Vec::new(), Some(0));
    let mut round: u64 = 0;
    while told.last().is_none_or(|number| *number < WRITES) {
        // Nobody answers while the service starts.
        let Ok(mut page) = user.updates(last).await else {
            tokio::task::yield_now().await;
            continue;
        };
        round += 1;
        // Another number of changes each time, and at times none at all.
        let until = round.wrapping_mul(2_654_435_761) % 23;
        read(&mut page, &mut told, until).await?;
        last = page.last_event_id.or(last);
    }
    ensure!(round > 10, "the connection was cut {round} times only");
    Ok(told)
}

/// Reads some changes; what breaks off is no error.
async fn read(page: &mut Updates, told: &mut Vec<u64>, until: u64) -> Result<()> {
    let mut count = 0;
    while count < until && told.last() != Some(&WRITES) {
        let Ok(Some(event)) = page.next().await else { return Ok(()) };
        match event.kind.as_str() {
            "ready" => {}
            "end" => ensure!(event.data["reconnect"] == json!(true), "{event:?}"),
            "update" => {
                told.push(event.id.context("a change of one field has an id")?);
                count += 1;
            }
            other => bail!("`{other}`, although nothing was missed for long"),
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_misses_nothing_and_is_told_nothing_twice_however_often_its_connection_breaks() -> Result<()> {
    let mut todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let id = ada.create("counted").await?;
    let listener = tokio::spawn(listen(ada.clone()));
    for number in 2..=WRITES {
        if number == WRITES / 2 {
            todo.stop().await?;
            todo.start_again().await?;
        }
        let change = json!({ "title": format!("counted {number}") });
        ada.patch(&format!("/api/tasks/{id}"), &change).await?.expect(200)?;
    }
    let told = listener.await??;
    ensure!(told.iter().copied().eq(1..=WRITES), "told: {told:?}");
    Ok(())
}

#[tokio::test]
async fn a_page_that_was_away_for_too_long_is_told_to_read_everything_anew() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let id = ada.create("counted").await?;
    let mut page = ada.updates(None).await?;
    while page.last_event_id != Some(1) {
        page.next().await?;
    }
    // More than is remembered.
    for number in 2..=300 {
        let change = json!({ "title": format!("counted {number}") });
        ada.patch(&format!("/api/tasks/{id}"), &change).await?.expect(200)?;
    }
    while page.last_event_id != Some(300) {
        page.next().await?;
    }
    let reset = ada.updates(Some(1)).await?.expect("reset").await?;
    assert_eq!((reset.id, reset.data), (Some(300), json!({ "sequence": 300 })));
    assert_eq!(ada.updates(Some(301)).await?.expect("reset").await?.id, Some(300));
    // What is remembered is told: the query is for clients that cannot send the header.
    let request = ada.request(reqwest::Method::GET, "/api/updates?lastEventId=298").await;
    let mut back = Updates::open(request).await?;
    assert_eq!(back.expect("ready").await?.id, Some(298));
    assert_eq!((back.expect("update").await?.id, back.expect("update").await?.id), (Some(299), Some(300)));
    ada.create("live").await?;
    assert_eq!(back.expect("update").await?.id, Some(301));
    Ok(())
}
