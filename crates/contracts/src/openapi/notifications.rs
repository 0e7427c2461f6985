//! What the operations of the component `notifications` take and answer.

use serde_json::json;
use todo_app::routes::notifications::Operation;

use super::described::Described;
use crate::samples::requests;

pub(super) fn describe(operation: Operation) -> Described {
    let notification = |summary| Described::new("notifications", summary);
    let at_id = |operations: &[&'static str]| {
        let link = json!({ "parameters": { "id": "$response.body#/id" } });
        operations.iter().map(|operation| (*operation, link.clone())).collect::<Vec<_>>()
    };
    match operation {
        Operation::ListNotifications => notification("Gives a page of your inbox, the newest first.")
            .reads()
            .takes(&["InboxLimit", "InboxCursor"])
            .answers_array(200, "The entries of this page.", "Notification")
            .headers(200, &[("X-Total-Count", "TotalCount"), ("X-Unread-Count", "UnreadCount"), ("Link", "Link")])
            .refuses([400]),
        Operation::ReadNotification => {
            notification("Marks an entry of your inbox as read; nothing happens when it is.")
                .reads()
                .numbered()
                .answers(204, "It is read.")
                .refuses([404])
        }
        Operation::ReadNotifications => {
            notification("Marks your whole inbox as read.").reads().numbered().answers(204, "It is read.")
        }
        Operation::ListWebhooks => notification("Lists your webhooks, the newest first, without their secrets.")
            .signed_in()
            .answers_array(200, "The webhooks.", "Webhook"),
        Operation::CreateWebhook => {
            notification("Makes a webhook, which is told what happens as Standard Webhooks says.")
                .signed_in()
                .numbered()
                .body("NewWebhook", requests::create_webhook())
                .answers_json(201, "The webhook, and its secret this once.", "Webhook")
                .headers(201, &[("Location", "Location")])
                .links(201, &at_id(&["update_webhook", "rotate_webhook_secret", "test_webhook", "delete_webhook"]))
        }
        Operation::UpdateWebhook => notification("Changes a webhook, or switches it on or off.")
            .signed_in()
            .body("WebhookChange", requests::update_webhook())
            .changes()
            .answers_json(200, "The webhook.", "Webhook")
            .refuses([404]),
        Operation::DeleteWebhook => notification("Removes a webhook; what is on its way to it is not sent.")
            .signed_in()
            .changes()
            .answers(204, "It is gone.")
            .refuses([404]),
        Operation::RotateWebhookSecret => {
            notification("Gives a webhook another secret; the one before signs beside it for a day.")
                .signed_in()
                .numbered()
                .answers_json(200, "The webhook, and its secret this once.", "Webhook")
                .refuses([404])
        }
        Operation::TestWebhook => notification("Sends a webhook a message of the type `webhook.test`.")
            .signed_in()
            .changes()
            .answers_json(202, "It is on its way.", "WebhookTest")
            .refuses([400, 404, 429]),
        Operation::GetPushKey => notification("Gives the key that a page subscribes its browser with.")
            .answers_json(200, "The key.", "PushKey")
            .refuses([404]),
        Operation::ListPushSubscriptions => notification("Lists your browsers that are pushed to, the newest first.")
            .signed_in()
            .answers_array(200, "The subscriptions.", "PushSubscription"),
        Operation::CreatePushSubscription => {
            notification("Adds a browser, by what its `PushSubscription` is as JSON; one that is there stays.")
                .signed_in()
                .body("NewPushSubscription", requests::create_push_subscription())
                .changes()
                .answers_json(201, "The subscription.", "PushSubscription")
                .headers(201, &[("Location", "Location")])
                .links(201, &at_id(&["delete_push_subscription"]))
                .refuses([404])
        }
        Operation::DeletePushSubscription => {
            notification("Removes a browser.").signed_in().changes().answers(204, "It is gone.").refuses([404])
        }
    }
}
