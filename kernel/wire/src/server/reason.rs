//! The venue's error strings.

/// Why the simulated venue says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No such key.
    InvalidKey,
    /// The signature does not fit.
    InvalidSignature,
    /// Not above the key's last nonce.
    InvalidNonce,
    /// A field is missing or not understood; names it.
    InvalidArguments(&'static str),
    /// No such call.
    UnknownMethod,
    /// The token names no account.
    TokenNotFound,
    /// Not on this socket.
    PermissionDenied,
    /// The account does not hold enough.
    InsufficientFunds,
    /// Below the smallest quantity.
    OrderMinimum,
    /// Below the smallest value.
    CostMinimum,
    /// Off the price or quantity step.
    TickSize,
    /// Not a price.
    InvalidPrice,
    /// No such open order.
    UnknownOrder,
    /// An open order of the account has that id. The real venue's words are not known.
    DuplicateClOrdId,
    /// It would have taken.
    PostOnly,
    /// There is no position to reduce on a spot account.
    ReduceOnly,
    /// Too many open orders.
    OrdersLimit,
    /// Too late.
    DeadlineElapsed,
    /// No such instrument.
    UnknownPair,
    /// No such instrument on the socket.
    UnknownSymbol,
    /// The depth is not one of the venue's.
    DepthNotSupported,
    /// No such channel or method.
    UnsupportedEvent,
    /// Parameters where there may be none.
    UnsupportedPingParams,
}

impl Reason {
    /// The venue's words.
    #[must_use]
    pub fn text(self) -> String {
        let fixed = match self {
            Self::InvalidArguments(field) => return format!("EGeneral:Invalid arguments:{field}"),
            Self::InvalidKey => "EAPI:Invalid key",
            Self::InvalidSignature => "EAPI:Invalid signature",
            Self::InvalidNonce => "EAPI:Invalid nonce",
            Self::UnknownMethod => "EGeneral:Unknown method",
            Self::TokenNotFound => "Token(s) not found",
            Self::PermissionDenied => "EGeneral:Permission denied",
            Self::InsufficientFunds => "EOrder:Insufficient funds",
            Self::OrderMinimum => "EOrder:Order minimum not met",
            Self::CostMinimum => "EOrder:Cost minimum not met",
            Self::TickSize => "EOrder:Tick size check failed",
            Self::InvalidPrice => "EOrder:Invalid price",
            Self::UnknownOrder => "EOrder:Unknown order",
            Self::DuplicateClOrdId => "EGeneral:Invalid arguments:cl_ord_id",
            Self::PostOnly => "EOrder:Post only order",
            Self::ReduceOnly => "EOrder:Reduce only:No position exists",
            Self::OrdersLimit => "EOrder:Orders limit exceeded",
            Self::DeadlineElapsed => "EService:Deadline elapsed",
            Self::UnknownPair => "EQuery:Unknown asset pair",
            Self::UnknownSymbol => "Currency pair not supported",
            Self::DepthNotSupported => "Subscription depth not supported",
            Self::UnsupportedEvent => "Unsupported event",
            Self::UnsupportedPingParams => {
                "Unsupported field: 'params' for the given msg type: ping"
            }
        };
        fixed.to_owned()
    }
}
