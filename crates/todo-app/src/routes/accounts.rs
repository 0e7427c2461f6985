//! The routes of the component `accounts`.

use ::http::Method;

use crate::http::router::Route;

/// What the component does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Makes an account and signs it in.
    SignUp,
    /// Signs in.
    SignIn,
    /// Gives a new access token for the refresh cookie.
    Refresh,
    /// Ends the session of the refresh cookie.
    SignOut,
    /// Gives the account of who is asking.
    GetProfile,
    /// Changes the account of who is asking.
    UpdateProfile,
    /// Removes the account of who is asking, and everything in it.
    DeleteAccount,
    /// Lists the API tokens.
    ListApiTokens,
    /// Makes an API token.
    CreateApiToken,
    /// Revokes an API token.
    RevokeApiToken,
    /// Revokes every API token.
    RevokeApiTokens,
    /// Opens a calendar feed in place of any before.
    OpenCalendarFeed,
    /// Ends the calendar feed.
    CloseCalendarFeed,
}

/// Its paths and methods.
pub const ROUTES: &[Route<Operation>] = &[
    Route::new(Method::POST, "/api/auth/sign-up", Operation::SignUp),
    Route::new(Method::POST, "/api/auth/sign-in", Operation::SignIn),
    Route::new(Method::POST, "/api/auth/refresh", Operation::Refresh),
    Route::new(Method::POST, "/api/auth/sign-out", Operation::SignOut),
    Route::new(Method::POST, "/api/auth/logout", Operation::SignOut),
    Route::new(Method::GET, "/api/me", Operation::GetProfile),
    Route::new(Method::PATCH, "/api/me", Operation::UpdateProfile),
    Route::new(Method::DELETE, "/api/me", Operation::DeleteAccount),
    Route::new(Method::GET, "/api/tokens", Operation::ListApiTokens),
    Route::new(Method::POST, "/api/tokens", Operation::CreateApiToken),
    Route::new(Method::DELETE, "/api/tokens", Operation::RevokeApiTokens),
    Route::new(Method::DELETE, "/api/tokens/{id}", Operation::RevokeApiToken),
    Route::new(Method::POST, "/api/calendar", Operation::OpenCalendarFeed),
    Route::new(Method::DELETE, "/api/calendar", Operation::CloseCalendarFeed),
];
