//! The kinds of differences, and what each of them leads to.

use portcullis_domain::Money;

/// What a difference leads to. Any that stands blocks new exposure, whatever it is called here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReconOutcome {
    /// Nothing differs.
    Match,
    /// The venue's word was booked, by a recorded act.
    SafeAdoptExchangeTruth,
    /// An order that nobody here counts on is taken back.
    CancelUnknownOrders,
    /// Until it is gone or explained, positions may only become smaller.
    ReduceOnly,
    /// The house stops itself: somebody else trades here, or the house cannot trust its own books.
    HardStop,
}

impl ReconOutcome {
    /// The name in evidence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Match => "MATCH",
            Self::SafeAdoptExchangeTruth => "SAFE_ADOPT_EXCHANGE_TRUTH",
            Self::CancelUnknownOrders => "CANCEL_UNKNOWN_ORDERS",
            Self::ReduceOnly => "REDUCE_ONLY",
            Self::HardStop => "HARD_STOP",
        }
    }
}

/// What can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// The venue lists an order under an id that the house gave and never sent.
    OrderMissingHere,
    /// An order that works here is not at the venue.
    OrderMissingThere,
    /// An order that ended here is open at the venue.
    OrderState,
    /// Another limit price.
    OrderPrice,
    /// Another order quantity.
    OrderQuantity,
    /// Another filled quantity.
    OrderFilledQuantity,
    /// Another side.
    OrderSide,
    /// The venue lists two orders under one id of ours.
    OrderDuplicateId,
    /// An order with our prefix and an id that this journal never gave: a clone or a rollback.
    OrderNeverIssued,
    /// An order of somebody else.
    OrderForeign,
    /// A fill that the house had missed. It is booked.
    FillMissingHere,
    /// A fill that is booked here and that the venue does not list.
    FillMissingThere,
    /// Another price or quantity under one execution id.
    FillPriceOrQuantity,
    /// Another fee under one execution id.
    FillFee,
    /// The venue lists one execution twice.
    FillDuplicate,
    /// One execution id for fills of two orders, or with two contents in one list.
    FillConflicting,
    /// Another size of a position.
    PositionSize,
    /// Long here and short there, or the other way round.
    PositionSign,
    /// Another balance.
    BalanceAmount,
    /// An entry of the venue's ledger that an earlier reading should have shown. It is booked.
    LedgerUnbooked,
    /// An entry that is booked here and that the venue does not list.
    LedgerVenueLacks,
}

use DifferenceKind as K;

impl DifferenceKind {
    /// All kinds.
    pub const ALL: [Self; 21] = [
        K::OrderMissingHere,
        K::OrderMissingThere,
        K::OrderState,
        K::OrderPrice,
        K::OrderQuantity,
        K::OrderFilledQuantity,
        K::OrderSide,
        K::OrderDuplicateId,
        K::OrderNeverIssued,
        K::OrderForeign,
        K::FillMissingHere,
        K::FillMissingThere,
        K::FillPriceOrQuantity,
        K::FillFee,
        K::FillDuplicate,
        K::FillConflicting,
        K::PositionSize,
        K::PositionSign,
        K::BalanceAmount,
        K::LedgerUnbooked,
        K::LedgerVenueLacks,
    ];

    /// The stable code. Codes are append-only.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            K::OrderMissingHere => "RECON_ORDER_MISSING_HERE",
            K::OrderMissingThere => "RECON_ORDER_MISSING_THERE",
            K::OrderState => "RECON_ORDER_STATE",
            K::OrderPrice => "RECON_ORDER_PRICE",
            K::OrderQuantity => "RECON_ORDER_QUANTITY",
            K::OrderFilledQuantity => "RECON_ORDER_FILLED_QUANTITY",
            K::OrderSide => "RECON_ORDER_SIDE",
            K::OrderDuplicateId => "RECON_ORDER_DUPLICATE_ID",
            K::OrderNeverIssued => "RECON_ORDER_NEVER_ISSUED",
            K::OrderForeign => "RECON_ORDER_FOREIGN",
            K::FillMissingHere => "RECON_FILL_MISSING_HERE",
            K::FillMissingThere => "RECON_FILL_MISSING_THERE",
            K::FillPriceOrQuantity => "RECON_FILL_PRICE_OR_QUANTITY",
            K::FillFee => "RECON_FILL_FEE",
            K::FillDuplicate => "RECON_FILL_DUPLICATE_EXEC",
            K::FillConflicting => "RECON_FILL_CONFLICTING_EXEC",
            K::PositionSize => "RECON_POSITION_SIZE",
            K::PositionSign => "RECON_POSITION_SIGN",
            K::BalanceAmount => "RECON_BALANCE_AMOUNT",
            K::LedgerUnbooked => "RECON_LEDGER_UNBOOKED",
            K::LedgerVenueLacks => "RECON_LEDGER_VENUE_LACKS",
        }
    }

    /// The kind of that code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// What it leads to. Fixed: nobody chooses it at the moment when it is inconvenient.
    #[must_use]
    pub const fn outcome(self) -> ReconOutcome {
        match self {
            K::FillMissingHere | K::LedgerUnbooked => ReconOutcome::SafeAdoptExchangeTruth,
            K::OrderMissingHere | K::OrderState => ReconOutcome::CancelUnknownOrders,
            K::OrderMissingThere
            | K::OrderPrice
            | K::OrderQuantity
            | K::OrderFilledQuantity
            | K::FillMissingThere
            | K::FillDuplicate
            | K::PositionSize
            | K::BalanceAmount
            | K::LedgerVenueLacks => ReconOutcome::ReduceOnly,
            K::OrderSide
            | K::OrderDuplicateId
            | K::OrderNeverIssued
            | K::OrderForeign
            | K::FillPriceOrQuantity
            | K::FillFee
            | K::FillConflicting
            | K::PositionSign => ReconOutcome::HardStop,
        }
    }

    /// Whether one reading is enough. The rest may only be a reading and a report that crossed.
    #[must_use]
    pub const fn counts_at_once(self) -> bool {
        match self {
            K::OrderDuplicateId
            | K::OrderNeverIssued
            | K::OrderForeign
            | K::FillMissingHere
            | K::FillPriceOrQuantity
            | K::FillFee
            | K::FillConflicting
            | K::LedgerUnbooked => true,
            K::OrderMissingHere
            | K::OrderMissingThere
            | K::OrderState
            | K::OrderPrice
            | K::OrderQuantity
            | K::OrderFilledQuantity
            | K::OrderSide
            | K::FillMissingThere
            | K::FillDuplicate
            | K::PositionSize
            | K::PositionSign
            | K::BalanceAmount
            | K::LedgerVenueLacks => false,
        }
    }

    /// Whether what was found is booked at once, so that nothing differs any more.
    #[must_use]
    pub fn is_adopted(self) -> bool {
        self.outcome() == ReconOutcome::SafeAdoptExchangeTruth
    }
}

/// One difference between account and house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub kind: DifferenceKind,
    /// Of what: an order, an execution, a symbol, a currency or an entry of the ledger.
    pub subject: String,
    /// Our symbol of the one instrument that it is about; `None` if it is about the account.
    pub symbol: Option<String>,
    /// What the house has booked, if it has anything.
    pub ours: Option<String>,
    /// What the venue states, if it states anything.
    pub venue: Option<String>,
    /// By how much the venue's amount is above ours; only for amounts of money.
    pub gap: Option<Money>,
}

impl Difference {
    /// What this is about, without the figures: these move while the market does.
    #[must_use]
    pub fn about(&self) -> String {
        format!("{} {}", self.kind.code(), self.subject)
    }

    /// One line for people.
    #[must_use]
    pub fn text(&self) -> String {
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
        match (&self.ours, &self.venue) {
            (None, None) => self.about(),
            (ours, venue) => {
                format!("{}: house {}, venue {}", self.about(), side(ours), side(venue))
            }
        }
    }

    /// Whether no new exposure may be taken on in that instrument while this stands.
    #[must_use]
    pub fn blocks(&self, symbol: &str) -> bool {
        let all = self.kind.outcome() == ReconOutcome::HardStop;
        all || self.symbol.as_ref().is_none_or(|about| about == symbol)
    }
}
