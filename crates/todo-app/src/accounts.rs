//! Accounts: sign-up, sign-in, sessions, and the profile.
//!
//! `accounts/{userId}` holds the account, and `account-emails/{hash}` leads from an e-mail address to it, so that one
//! address has one account whatever two sign-ups at once try. `users/{shard}` names the users, for what is done for all.
//! The address itself stands only in the account.

mod account;
mod api_tokens;
mod deletion;
mod feed;
mod password;
mod registry;
mod session;
mod throttle;

use dapr::{Operation, StateItem, Transaction, Transport, metadata_key};
use todo_domain::{DayTime, FieldError, TimeZoneName, UserId, ValidationError};
use uuid::Uuid;

pub(crate) use self::account::key;
pub use self::account::{Account, DaySettings, EmailOwner, MAX_EMAIL, Profile};
pub(crate) use self::api_tokens::TokenHolder;
pub use self::api_tokens::{ApiTokenBody, MAX_API_TOKENS, NewApiToken, StoredApiToken};
pub use self::password::PASSWORD_LENGTH;
pub use self::registry::{Registered, Shard};
pub use self::session::{REFRESH_TOKEN_SECONDS, RefreshToken, Session, SessionBody};
pub use self::throttle::Tries;
use self::throttle::{BAD_SIGN_INS, SIGN_UPS};
use crate::{
    App,
    access::{self, AccessToken, User},
    documents::item,
    failure::Failure,
    fresh_id,
    http::problem::{Problem, kind},
    lists::{ATTEMPTS, pause},
    updates::SessionEnded,
};

/// Characters that a person's name has.
pub const NAME_LENGTH: std::ops::RangeInclusive<usize> = 1..=100;

/// What a person is told who gives another.
pub(crate) const NAME_FORM: &str = "use 1 to 100 characters, none of them NUL";

/// What a new user gives.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// The address; compared without regard to case.
    pub email: String,
    /// What to call the person.
    pub name: String,
    /// At least eight characters.
    pub password: String,
    /// The zone of the person's days.
    pub time_zone: TimeZoneName,
    /// Where the request comes from; empty when the host does not tell.
    pub client_address: String,
}

/// What a user changes of the account; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct ProfileChange {
    /// What to call the person.
    pub name: Option<String>,
    /// The zone of the person's days.
    pub time_zone: Option<TimeZoneName>,
    /// When the digest of the day comes; an inner `None`: never.
    pub digest_time: Option<Option<DayTime>>,
    /// Whether notifications are sent to the address too.
    pub email_notifications: Option<bool>,
    /// The new password, with the present one.
    pub password: Option<(String, String)>,
}

/// A user who has just shown who they are.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Opens the API for a quarter of an hour.
    pub access: AccessToken,
    /// Opens the next quarter; `None` when the client's own is still the one to use.
    pub refresh: Option<RefreshToken>,
    /// Who.
    pub profile: Profile,
}

impl<T: Transport> App<T> {
    /// Makes an account and signs it in.
    ///
    /// # Errors
    /// 400 with every refused field; 409 when the e-mail address has an account; 429 for too many accounts from one
    /// client address.
    pub async fn sign_up(&self, input: SignUp) -> Result<SignedIn, Problem> {
        let email = account::normal_email(&input.email);
        check_sign_up(&email, &input)?;
        let sign_ups = SIGN_UPS.with_bound(self.settings.sign_ups_per_hour);
        self.check_throttle(&sign_ups, &input.client_address).await?;
        let id = UserId::new(fresh_id());
        let mut account = Account::new(id, email, input.name.trim().to_owned(), input.time_zone, self.now);
        account.password_hash = password::hash(&input.password);
        let refresh = account.begin_session(self.now);
        account.registered = true;
        let items = [
            item(account::email_key(&account.email), &account::EmailOwner { user_id: id })?,
            item(account::key(id), &account)?,
        ];
        let new =
            |item: StateItem| Operation::upsert(item.first_write().with_metadata(metadata_key::OUTBOX_SKIP, "true"));
        let operations: Vec<Operation> = items.into_iter().map(new).collect();
        for attempt in 1..=ATTEMPTS {
            let mut operations = operations.clone();
            operations.extend(self.registration(id, true).await?);
            match self.dapr.transact(&self.settings.state_store, &Transaction::new(operations)).await {
                Ok(()) => {
                    self.count(&sign_ups, &input.client_address).await?;
                    return Ok(self.signed_in(&account, Some(refresh.session), Some(refresh)));
                }
                Err(error) if error.is_conflict() => {
                    if self.owner_of(&account.email).await?.is_some() {
                        return Err(Problem::new(409, kind::ACCOUNT_EXISTS)
                            .detail("This e-mail address has an account: sign in, or use another address."));
                    }
                    // Someone else of the same shard signed up.
                    pause(attempt);
                }
                Err(error) => return Err(Failure::from(error).into()),
            }
        }
        Err(Failure::Busy { subject: "the registry of users".to_owned(), attempts: ATTEMPTS }.into())
    }

    /// Signs a user in.
    ///
    /// # Errors
    /// 401 when address or password is wrong, without telling which; 429 from the sixth bad try in a minute on.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<SignedIn, Problem> {
        let email = account::normal_email(email);
        self.check_throttle(&BAD_SIGN_INS, &email).await?;
        let account = match self.owner_of(&email).await? {
            Some(id) => self.load_account(id).await?,
            None => None,
        };
        // An unknown address costs the same time as a wrong password.
        let stored = account.as_ref().map_or(password::NOBODYS_HASH, |account| &account.password_hash);
        if !password::verify(password, stored) || account.is_none() {
            self.count(&BAD_SIGN_INS, &email).await?;
            return Err(Problem::new(401, kind::BAD_CREDENTIALS).detail("E-mail or password is wrong."));
        }
        let id = account.expect("checked above").id;
        let (account, refresh) = self.change_account(id, |account| Ok(account.begin_session(self.now))).await?;
        self.register_older(&account).await;
        Ok(self.signed_in(&account, Some(refresh.session), Some(refresh)))
    }

    /// Gives a new access token for a refresh token, and a new refresh token in its place.
    ///
    /// # Errors
    /// 401 when the session has ended. A refresh token that was used before ends its session: someone copied it.
    pub async fn refresh(&self, token: &str) -> Result<SignedIn, Problem> {
        let token = RefreshToken::parse(token).ok_or_else(session_gone)?;
        let (account, renewal) =
            self.change_account(token.user_id, |account| Ok(account.renew_session(&token, self.now))).await?;
        self.register_older(&account).await;
        match renewal {
            session::Renewal::Rotated(refresh) => Ok(self.signed_in(&account, Some(token.session), Some(refresh))),
            session::Renewal::JustRotated => Ok(self.signed_in(&account, Some(token.session), None)),
            session::Renewal::Gone => Err(session_gone()),
        }
    }

    /// Ends a session. One that has ended already is no error.
    ///
    /// # Errors
    /// 503 when the store is away.
    pub async fn sign_out(&self, token: &str) -> Result<(), Problem> {
        let Some(token) = RefreshToken::parse(token) else { return Ok(()) };
        let end = |account: &mut Account| {
            account.end_session(&token);
            Ok(())
        };
        match self.change_account(token.user_id, end).await {
            Ok(_) => Ok(()),
            Err(problem) if problem.status() == 401 => Ok(()),
            Err(problem) => Err(problem),
        }
    }

    /// The profile of who is asking.
    ///
    /// # Errors
    /// 401 when the account is gone.
    pub async fn profile(&self, user: &User) -> Result<Profile, Problem> {
        Ok(self.account(user).await?.profile())
    }

    /// The account of who is asking.
    ///
    /// # Errors
    /// 401 when it is gone.
    pub async fn account(&self, user: &User) -> Result<Account, Problem> {
        self.load_account(user.id).await?.ok_or_else(session_gone)
    }

    /// Changes the account. A new password ends every session; the answer's tokens begin a new one.
    /// Otherwise they are of the session that is given.
    ///
    /// # Errors
    /// 400 with every refused field.
    pub async fn change_profile(
        &self,
        user: &User,
        session: Option<Uuid>,
        change: ProfileChange,
    ) -> Result<SignedIn, Problem> {
        let mut errors = Vec::new();
        if let Some(name) = &change.name {
            check_name(name, &mut errors);
        }
        if let Some((_, new)) = &change.password {
            password::check(new, &mut errors);
        }
        finish(errors)?;
        if change.time_zone.is_some() || change.digest_time.is_some() {
            self.move_morning(user, &change).await?;
        }
        let hash = change.password.as_ref().map(|(_, new)| password::hash(new));
        let (account, refresh) = self
            .change_account(user.id, |account| {
                // A change that is sent again finds the new password in its place.
                if let Some((present, new)) = &change.password
                    && !password::verify(present, &account.password_hash)
                    && !password::verify(new, &account.password_hash)
                {
                    return Err(Problem::invalid_field("currentPassword", "is not the present password"));
                }
                if let Some(name) = &change.name {
                    account.name = name.trim().to_owned();
                }
                if let Some(zone) = &change.time_zone {
                    account.time_zone = zone.clone();
                }
                if let Some(time) = change.digest_time {
                    account.digest_time = time;
                }
                if let Some(wanted) = change.email_notifications {
                    account.email_notifications = wanted;
                }
                Ok(hash.as_ref().map(|hash| {
                    account.password_hash.clone_from(hash);
                    account.end_all_sessions();
                    account.begin_session(self.now)
                }))
            })
            .await?;
        Ok(self.signed_in(&account, refresh.as_ref().map(|refresh| refresh.session).or(session), refresh))
    }

    /// Plans the next morning by what is about to change, before it does: when that cannot be done, nothing is.
    async fn move_morning(&self, user: &User, change: &ProfileChange) -> Result<(), Problem> {
        let mut settings = self.account(user).await?.day_settings();
        if let Some(zone) = &change.time_zone {
            settings.time_zone = zone.clone();
        }
        if let Some(time) = change.digest_time {
            settings.digest_time = time;
        }
        Ok(self.plan_day(user.id, &settings, true).await?)
    }

    fn signed_in(&self, account: &Account, session: Option<Uuid>, refresh: Option<RefreshToken>) -> SignedIn {
        let user = User { id: account.id, time_zone: account.time_zone.clone() };
        let access = access::issue(&self.settings.signing_key, &user, session, self.now);
        SignedIn { access, refresh, profile: account.profile() }
    }

    async fn owner_of(&self, email: &str) -> Result<Option<UserId>, Problem> {
        let owner: Option<(account::EmailOwner, String)> = self.load_document(&account::email_key(email)).await?;
        Ok(owner.map(|(owner, _)| owner.user_id))
    }

    async fn load_account(&self, id: UserId) -> Result<Option<Account>, Problem> {
        Ok(self.load_document(&account::key(id)).await?.map(|(account, _)| account))
    }

    /// Reads an account, changes it, writes it under its entity tag, and tries again when another was faster.
    /// An account that the change leaves as it was is not written.
    /// Streams that were opened with what the change ends are told.
    async fn change_account<R>(
        &self,
        id: UserId,
        mut change: impl FnMut(&mut Account) -> Result<R, Problem>,
    ) -> Result<(Account, R), Problem> {
        let key = account::key(id);
        for attempt in 1..=ATTEMPTS {
            let (mut account, etag): (Account, String) = self.load_document(&key).await?.ok_or_else(session_gone)?;
            let before = account.clone();
            let result = change(&mut account)?;
            if account == before {
                return Ok((account, result));
            }
            let item = item(key.clone(), &account)?.with_etag(etag);
            match self.dapr.save(&self.settings.state_store, &item).await {
                Ok(()) => {
                    self.tell_what_ended(&before, &account).await;
                    return Ok((account, result));
                }
                Err(error) if error.is_conflict() => pause(attempt),
                Err(error) => return Err(Failure::from(error).into()),
            }
        }
        Err(Failure::Busy { subject: "the account".to_owned(), attempts: ATTEMPTS }.into())
    }
}

impl<T: Transport> App<T> {
    /// Tells the streams of sessions and API tokens that are no more. They have ended, whether this is told or not:
    /// without it a stream ends with its access token.
    async fn tell_what_ended(&self, before: &Account, after: &Account) {
        let ended = SessionEnded::between(before, after);
        if !ended.is_nothing()
            && let Err(error) = self.tell_ended(&ended).await
        {
            eprintln!("streams of an ended session stay open until their token ends: {error}");
        }
    }
}

pub(crate) fn session_gone() -> Problem {
    Problem::unauthorized(kind::SESSION_GONE, "The session has ended: sign in again.")
}

fn check_sign_up(email: &str, input: &SignUp) -> Result<(), Problem> {
    let mut errors = Vec::new();
    account::check_email(email, &mut errors);
    check_name(&input.name, &mut errors);
    password::check(&input.password, &mut errors);
    finish(errors)
}

fn check_name(name: &str, errors: &mut Vec<FieldError>) {
    if !is_name(name) {
        errors.push(FieldError { field: "name".into(), message: NAME_FORM.into() });
    }
}

/// Whether a text can be the name of a person or a token. No store has to hold a NUL: PostgreSQL's JSON cannot.
pub(crate) fn is_name(text: &str) -> bool {
    NAME_LENGTH.contains(&text.trim().chars().count()) && !text.contains('\0')
}

fn finish(errors: Vec<FieldError>) -> Result<(), Problem> {
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(ValidationError { errors })) }
}
