//! `market.parquet`: one row per change of a level, quote, trade and gap.

use std::io::Write;

use portcullis_domain::market::Level;
use portcullis_domain::{Instrument, MarketEvent, MarketFrame, Px, Qty, Side, StreamId, WallNs};

use super::{Cell, Kind, Table, Unfit, unwritable};
use crate::CliError;
use crate::market;
use crate::source::Evidence;

const COLUMNS: [(&str, Kind); 17] = [
    ("received", Kind::Moment),
    ("venue_time", Kind::Moment),
    ("stream", Kind::Text),
    ("sequence", Kind::Count),
    ("row", Kind::Count),
    ("symbol", Kind::Text),
    ("event", Kind::Text),
    ("side", Kind::Text),
    ("price", Kind::Decimal),
    ("qty", Kind::Decimal),
    ("bid", Kind::Decimal),
    ("bid_qty", Kind::Decimal),
    ("ask", Kind::Decimal),
    ("ask_qty", Kind::Decimal),
    ("trade_id", Kind::Count),
    ("expected", Kind::Count),
    ("found", Kind::Count),
];

/// Writes the table. Rows of one frame share stream and sequence, and `row` numbers them.
pub(crate) fn write(evidence: &Evidence, sink: impl Write + Send) -> Result<(), CliError> {
    let fault = |error| unwritable(evidence, &error);
    let instrument = market::instrument(evidence)?;
    let mut table = Table::new("market", COLUMNS.to_vec(), (evidence, sink)).map_err(fault)?;
    market::for_each(evidence, &mut |received, frame| {
        let rows = rows(instrument, received, frame);
        let rows = rows.map_err(|unfit| unfit.at(evidence, &instrument.symbol))?;
        rows.into_iter().try_for_each(|row| table.push(row).map_err(fault))
    })?;
    table.finish().map_err(fault)
}

/// What stands in the last ten columns.
#[derive(Default)]
struct Numbers {
    side: Option<&'static str>,
    price: Option<Px>,
    qty: Option<Qty>,
    quote: Option<[(Px, Qty); 2]>,
    counts: [Option<u64>; 3],
}

fn rows(
    instrument: &Instrument,
    received: WallNs,
    frame: &MarketFrame,
) -> Result<Vec<Vec<Cell>>, Unfit> {
    let one = |event, numbers| vec![(event, numbers)];
    let told: Vec<(&str, Numbers)> = match &frame.event {
        MarketEvent::Quote { bid, bid_qty, ask, ask_qty } => {
            let quote = Some([(*bid, *bid_qty), (*ask, *ask_qty)]);
            one("quote", Numbers { quote, ..Numbers::default() })
        }
        MarketEvent::Trade { aggressor, px, qty, trade_id } => {
            let side = Some(if *aggressor == Side::Buy { "buy" } else { "sell" });
            let counts = [Some(*trade_id), None, None];
            let (price, qty) = (Some(*px), Some(*qty));
            one("trade", Numbers { side, price, qty, counts, ..Numbers::default() })
        }
        MarketEvent::Snapshot { levels } => {
            levels.iter().map(|it| ("snapshot", level(it))).collect()
        }
        MarketEvent::Levels { levels } => levels.iter().map(|it| ("level", level(it))).collect(),
        MarketEvent::Gap { expected, found } => {
            let counts = [None, Some(*expected), Some(*found)];
            one("gap", Numbers { counts, ..Numbers::default() })
        }
    };
    let row = |(number, (event, numbers)): (u64, (&str, Numbers))| {
        let mut row = vec![
            Cell::Int(received.0),
            frame.venue_time.map_or(Cell::Empty, |time| Cell::Int(time.0)),
            stream(frame.stream),
            Cell::Count(frame.sequence),
            Cell::Count(number),
            Cell::text(&instrument.symbol),
            Cell::text(event),
        ];
        row.extend(cells(instrument, &numbers)?);
        Ok(row)
    };
    (0_u64..).zip(told).map(row).collect()
}

fn level(level: &Level) -> Numbers {
    let side = Some(if level.side == Side::Buy { "bid" } else { "ask" });
    Numbers { side, price: Some(level.px), qty: Some(level.qty), ..Numbers::default() }
}

fn cells(instrument: &Instrument, numbers: &Numbers) -> Result<[Cell; 10], Unfit> {
    let px = |px: Option<Px>| {
        px.map_or(Ok(Cell::Empty), |px| Cell::scaled(px.units(), instrument.price_scale))
    };
    let qty = |qty: Option<Qty>| {
        qty.map_or(Ok(Cell::Empty), |qty| Cell::scaled(qty.units(), instrument.qty_scale))
    };
    let [bid, ask] = numbers.quote.map_or([None, None], |quote| quote.map(Some));
    let [trade_id, expected, found] =
        numbers.counts.map(|count| count.map_or(Cell::Empty, Cell::Count));
    Ok([
        numbers.side.map_or(Cell::Empty, Cell::text),
        px(numbers.price)?,
        qty(numbers.qty)?,
        px(bid.map(|it| it.0))?,
        qty(bid.map(|it| it.1))?,
        px(ask.map(|it| it.0))?,
        qty(ask.map(|it| it.1))?,
        trade_id,
        expected,
        found,
    ])
}

fn stream(stream: StreamId) -> Cell {
    Cell::text(match stream {
        StreamId::BOOK => "book".to_owned(),
        StreamId::QUOTES => "quotes".to_owned(),
        StreamId::TRADES => "trades".to_owned(),
        StreamId(other) => format!("stream-{other}"),
    })
}
