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
];
