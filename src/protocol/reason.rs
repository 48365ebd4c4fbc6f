//! What the engine's own Close frames give as their reason.

/// 1013: broadcasts waited for the client beyond its outbox limit, or all outboxes beyond their budget.
pub const TOO_SLOW: &str = "Too slow";
/// 1013: the client's unfinished message was the longest while all together were over their budget.
pub const OVERLOADED: &str = "Server overloaded";
/// 1008: the heartbeat's pings stayed unanswered.
pub const UNANSWERED: &str = "Exceeded unanswered PING limit";
/// 1008: the client sent more in a second than it may.
pub const RATE_LIMIT: &str = "Rate limit exceeded";
/// 1003: a binary message came to an endpoint that takes text only.
pub const TEXT_ONLY: &str = "Binary messages are not accepted";
/// 1001: the server stops.
pub const SHUTTING_DOWN: &str = "Server shutting down";
/// 1011: the engine, or the application's callback, failed under this client.
pub const INTERNAL_ERROR: &str = "internal error";
/// 1011: a message to the client was begun, and will not be ended.
pub const ABANDONED: &str = "Message abandoned";
