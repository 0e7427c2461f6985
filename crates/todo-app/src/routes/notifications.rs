//! The routes of the component `notifications`.

use ::http::Method;

use crate::http::router::Route;

/// What the component does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Lists the inbox.
    ListNotifications,
    /// Marks one entry of the inbox as read.
    ReadNotification,
    /// Marks the whole inbox as read.
    ReadNotifications,
    /// Lists the webhooks.
    ListWebhooks,
    /// Makes a webhook.
    CreateWebhook,
    /// Changes a webhook, or switches it on or off.
    UpdateWebhook,
    /// Removes a webhook.
    DeleteWebhook,
    /// Gives a webhook another secret.
    RotateWebhookSecret,
    /// Sends a webhook a message to try it with.
    TestWebhook,
    /// Gives the key that a page subscribes its browser with.
    GetPushKey,
    /// Lists the browsers that are pushed to.
    ListPushSubscriptions,
    /// Adds a browser.
    CreatePushSubscription,
    /// Removes a browser.
    DeletePushSubscription,
}

/// Its paths and methods.
pub const ROUTES: &[Route<Operation>] = &[
    Route::new(Method::GET, "/api/notifications", Operation::ListNotifications),
    Route::new(Method::POST, "/api/notifications/read-all", Operation::ReadNotifications),
    Route::new(Method::POST, "/api/notifications/{id}/read", Operation::ReadNotification),
    Route::new(Method::GET, "/api/webhooks", Operation::ListWebhooks),
    Route::new(Method::POST, "/api/webhooks", Operation::CreateWebhook),
    Route::new(Method::PATCH, "/api/webhooks/{id}", Operation::UpdateWebhook),
    Route::new(Method::DELETE, "/api/webhooks/{id}", Operation::DeleteWebhook),
    Route::new(Method::POST, "/api/webhooks/{id}/secret", Operation::RotateWebhookSecret),
    Route::new(Method::POST, "/api/webhooks/{id}/test", Operation::TestWebhook),
    Route::new(Method::GET, "/api/push-key", Operation::GetPushKey),
    Route::new(Method::GET, "/api/push-subscriptions", Operation::ListPushSubscriptions),
    Route::new(Method::POST, "/api/push-subscriptions", Operation::CreatePushSubscription),
    Route::new(Method::DELETE, "/api/push-subscriptions/{id}", Operation::DeletePushSubscription),
];
