//! What a client may send that is not an order: subscriptions, cancels, queries.
//!
//! Nothing here can place or change an order; a crate that has only this cannot trade.

use std::num::NonZeroU32;

use portcullis_domain::ClOrdId;

use super::public::BOOK_DEPTH;

/// The public channels of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicChannel {
    /// Levels, ten deep, with a snapshot first.
    Book,
    /// Best bid and offer, at each change.
    Ticker,
    /// Trades, without those of the past.
    Trade,
}

impl PublicChannel {
    const fn params(self) -> &'static str {
        match self {
            Self::Book => "\"channel\":\"book\",\"depth\":10,\"snapshot\":true",
            Self::Ticker => "\"channel\":\"ticker\",\"event_trigger\":\"bbo\",\"snapshot\":true",
            Self::Trade => "\"channel\":\"trade\",\"snapshot\":false",
        }
    }
}

// The literal above and the decoder's depth are one number.
const _: () = assert!(BOOK_DEPTH == 10);

/// `subscribe` to a public channel for these venue symbols (`BTC/USD`).
#[must_use]
pub fn subscribe(channel: PublicChannel, symbols: &[&str], req_id: u64) -> String {
    public("subscribe", channel, symbols, req_id)
}

/// `unsubscribe` from a public channel.
#[must_use]
pub fn unsubscribe(channel: PublicChannel, symbols: &[&str], req_id: u64) -> String {
    public("unsubscribe", channel, symbols, req_id)
}

fn public(method: &str, channel: PublicChannel, symbols: &[&str], req_id: u64) -> String {
    let symbols: Vec<String> = symbols.iter().map(|symbol| quoted(symbol)).collect();
    let params = format!("{},\"symbol\":[{}]", channel.params(), symbols.join(","));
    request(method, &params, req_id)
}

/// `subscribe` to executions: open orders first, past trades not.
#[must_use]
pub fn subscribe_executions(token: &str, req_id: u64) -> String {
    let params = format!(
        "\"channel\":\"executions\",\"order_status\":true,\"snap_orders\":true,\
         \"snap_trades\":false,\"token\":{}",
        quoted(token)
    );
    request("subscribe", &params, req_id)
}

/// `ping`. It has no parameters: the venue refuses them.
#[must_use]
pub fn ping(req_id: u64) -> String {
    format!("{{\"method\":\"ping\",\"req_id\":{req_id}}}")
}

/// `cancel_order` by our own ids; the venue answers once per id.
#[must_use]
pub fn cancel_order(ids: &[ClOrdId], token: &str, req_id: u64) -> String {
    let ids: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
    let params = format!("\"cl_ord_id\":[{}],\"token\":{}", ids.join(","), quoted(token));
    request("cancel_order", &params, req_id)
}

/// `cancel_all`: every open order of the account.
#[must_use]
pub fn cancel_all(token: &str, req_id: u64) -> String {
    request("cancel_all", &format!("\"token\":{}", quoted(token)), req_id)
}

/// `cancel_all_orders_after`: renews the venue's dead-man switch. Zero would switch it off and
/// cannot be said.
#[must_use]
pub fn cancel_all_orders_after(timeout_s: NonZeroU32, token: &str, req_id: u64) -> String {
    let params = format!("\"timeout\":{timeout_s},\"token\":{}", quoted(token));
    request("cancel_all_orders_after", &params, req_id)
}

fn request(method: &str, params: &str, req_id: u64) -> String {
    format!("{{\"method\":\"{method}\",\"params\":{{{params}}},\"req_id\":{req_id}}}")
}

/// `text` as a JSON string. Symbols and tokens are the venue's words and may hold anything.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A call of the private REST door that is not an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrivateCall {
    /// A token for the private socket.
    WebSocketsToken,
    /// Balances with what open orders hold.
    BalanceEx,
    /// All open orders.
    OpenOrders,
    /// Ended orders, the latest page.
    ClosedOrders,
    /// Fills, the latest page; `offset` skips that many of the latest.
    TradesHistory {
        /// Fills to skip.
        offset: u32,
    },
    /// What the venue booked after a moment, the latest page; `offset` skips that many of the latest.
    Ledgers {
        /// Unix seconds; what was booked at that very second is not listed.
        after_s: i64,
        /// Entries to skip.
        offset: u32,
    },
    /// Positions on margin.
    OpenPositions,
    /// Takes back one order of ours.
    CancelOrder(ClOrdId),
    /// Takes back every order of the account.
    CancelAll,
    /// Renews the venue's dead-man switch.
    CancelAllOrdersAfter {
        /// Seconds until it fires.
        timeout_s: NonZeroU32,
    },
}

impl PrivateCall {
    /// The path, which is signed with the body.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        match self {
            Self::WebSocketsToken => "/0/private/GetWebSocketsToken",
            Self::BalanceEx => "/0/private/BalanceEx",
            Self::OpenOrders => "/0/private/OpenOrders",
            Self::ClosedOrders => "/0/private/ClosedOrders",
            Self::TradesHistory { .. } => "/0/private/TradesHistory",
            Self::Ledgers { .. } => "/0/private/Ledgers",
            Self::OpenPositions => "/0/private/OpenPositions",
            Self::CancelOrder(_) => "/0/private/CancelOrder",
            Self::CancelAll => "/0/private/CancelAll",
            Self::CancelAllOrdersAfter { .. } => "/0/private/CancelAllOrdersAfter",
        }
    }

    /// The form-encoded body. `nonce` must be above every earlier one of the key.
    #[must_use]
    pub fn body(&self, nonce: u64) -> String {
        let nonce = format!("nonce={nonce}");
        match self {
            Self::TradesHistory { offset } => format!("{nonce}&ofs={offset}"),
            Self::Ledgers { after_s, offset } => format!("{nonce}&start={after_s}&ofs={offset}"),
            Self::CancelOrder(id) => format!("{nonce}&cl_ord_id={id}"),
            Self::CancelAllOrdersAfter { timeout_s } => format!("{nonce}&timeout={timeout_s}"),
            Self::WebSocketsToken
            | Self::BalanceEx
            | Self::OpenOrders
            | Self::ClosedOrders
            | Self::OpenPositions
            | Self::CancelAll => nonce,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ClOrdId = ClOrdId { epoch: 1, sequence: 2 };

    #[test]
    fn requests_are_these_bytes() {
        let check = |request: String, expect: &str| {
            let read: serde_json::Value = serde_json::from_str(&request).unwrap();
            assert!(read.is_object());
            assert_eq!(request, expect);
        };
        check(
            subscribe(PublicChannel::Book, &["BTC/USD"], 1),
            r#"{"method":"subscribe","params":{"channel":"book","depth":10,"snapshot":true,"symbol":["BTC/USD"]},"req_id":1}"#,
        );
        check(
            unsubscribe(PublicChannel::Trade, &["A\"B", "C"], 2),
            r#"{"method":"unsubscribe","params":{"channel":"trade","snapshot":false,"symbol":["A\"B","C"]},"req_id":2}"#,
        );
        check(ping(3), r#"{"method":"ping","req_id":3}"#);
        check(
            cancel_order(&[ID], "t", 4),
            r#"{"method":"cancel_order","params":{"cl_ord_id":["pc0000000100000002"],"token":"t"},"req_id":4}"#,
        );
        check(cancel_all("t", 5), r#"{"method":"cancel_all","params":{"token":"t"},"req_id":5}"#);
        let minute = NonZeroU32::new(60).unwrap();
        check(
            cancel_all_orders_after(minute, "t", 6),
            r#"{"method":"cancel_all_orders_after","params":{"timeout":60,"token":"t"},"req_id":6}"#,
        );
        check(
            subscribe_executions("t", 7),
            r#"{"method":"subscribe","params":{"channel":"executions","order_status":true,"snap_orders":true,"snap_trades":false,"token":"t"},"req_id":7}"#,
        );
    }

    #[test]
    fn bodies_carry_the_nonce_first() {
        let check = |call: PrivateCall, path: &str, body: &str| {
            assert_eq!((call.path(), call.body(9).as_str()), (path, body));
        };
        check(PrivateCall::BalanceEx, "/0/private/BalanceEx", "nonce=9");
        check(
            PrivateCall::CancelOrder(ID),
            "/0/private/CancelOrder",
            "nonce=9&cl_ord_id=pc0000000100000002",
        );
        check(
            PrivateCall::TradesHistory { offset: 50 },
            "/0/private/TradesHistory",
            "nonce=9&ofs=50",
        );
        check(
            PrivateCall::Ledgers { after_s: 1_688_464_484, offset: 50 },
            "/0/private/Ledgers",
            "nonce=9&start=1688464484&ofs=50",
        );
        check(PrivateCall::OpenPositions, "/0/private/OpenPositions", "nonce=9");
        let minute = NonZeroU32::new(60).unwrap();
        check(
            PrivateCall::CancelAllOrdersAfter { timeout_s: minute },
            "/0/private/CancelAllOrdersAfter",
            "nonce=9&timeout=60",
        );
    }
}
