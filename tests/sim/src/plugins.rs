//! A stand-in for strategies: it asks for anything, valid or not, and takes some of it back.

use portcullis_core::Input;
use portcullis_domain::PluginId;
use portcullis_domain::frame::{
    IntentRecord, REPLY_INTENTS_MAX, intent_kind, ord_type_code, side_code, tif_code,
};

use crate::draw::Draw;
use crate::fault::{Fault, Weather};

/// Numbers that a plugin has used, newest last.
#[derive(Debug, Default)]
pub(crate) struct Strategies {
    used: Vec<u64>,
    last: u64,
}

impl Strategies {
    /// Answers a batch. In rough weather it is an answer that ends the plugin.
    pub(crate) fn reply(
        &mut self,
        (plugin, batch): (PluginId, u32),
        middle: i64,
        (draw, weather): (&mut Draw, &mut Weather),
    ) -> Input {
        if weather.strikes(Fault::PluginFailed, draw) {
            let (code, cause) = ("PLUGIN_TRAP".to_owned(), "unreachable".to_owned());
            return Input::PluginFailed { plugin, code, cause };
        }
        let wrong = weather.strikes(Fault::PluginProtocol, draw);
        let flood = weather.strikes(Fault::PluginFlood, draw);
        let batch = if wrong { batch + 7 } else { batch };
        let count = match draw.below(8) {
            _ if flood => REPLY_INTENTS_MAX + 1,
            0..=2 => 0,
            3 | 4 => 1,
            5 | 6 => 2,
            _ => 4,
        };
        let intents = (0..count).map(|_| self.intent(middle, draw)).collect();
        Input::PluginReply { plugin, batch, fuel: 1_000, intents, log: String::new() }
    }

    /// An answer that asks for nothing.
    pub(crate) fn silence((plugin, batch): (PluginId, u32)) -> Input {
        Input::PluginReply { plugin, batch, fuel: 1, intents: Vec::new(), log: String::new() }
    }

    fn intent(&mut self, middle: i64, draw: &mut Draw) -> IntentRecord {
        let recent = self.used.len().min(12);
        match draw.below(20) {
            0..=4 if recent > 0 => {
                let reference = self.used[self.used.len() - 1 - draw.index(recent)];
                IntentRecord { reference, kind: intent_kind::CANCEL, ..IntentRecord::default() }
            }
            5 => IntentRecord {
                reference: draw.below(1_000),
                kind: intent_kind::SET_TIMER,
                ..IntentRecord::default()
            },
            6 => self.nonsense(draw),
            7..=11 if recent > 0 => {
                let reference = self.used[self.used.len() - 1 - draw.index(recent.min(6))];
                let (price, qty) = (middle + draw.between(-3, 3) * 10, draw.between(1, 80) * 1_000);
                let kind = intent_kind::AMEND;
                IntentRecord { reference, kind, price, qty, ..IntentRecord::default() }
            }
            _ => self.order(middle, draw),
        }
    }

    /// An order that may well pass: near the middle, in whole ticks and lots.
    fn order(&mut self, middle: i64, draw: &mut Draw) -> IntentRecord {
        let market = draw.happens(80);
        let side = if draw.happens(500) { side_code::BUY } else { side_code::SELL };
        let away = draw.between(-3, 3) * 10;
        IntentRecord {
            reference: self.next_reference(),
            kind: intent_kind::SUBMIT,
            side,
            ord_type: if market { ord_type_code::MARKET } else { ord_type_code::LIMIT },
            time_in_force: if draw.happens(250) { tif_code::IOC } else { tif_code::GTC },
            price: if market { 0 } else { middle + away },
            qty: draw.between(1, 80) * 1_000,
            ..IntentRecord::default()
        }
    }

    /// Anything, and little of it allowed.
    fn nonsense(&mut self, draw: &mut Draw) -> IntentRecord {
        let code = |draw: &mut Draw| u8::try_from(draw.below(6)).expect("a small code");
        IntentRecord {
            reference: if draw.happens(500) { self.last } else { draw.below(4) },
            instrument: u32::try_from(draw.below(3)).expect("a small number"),
            kind: code(draw),
            side: code(draw),
            ord_type: code(draw),
            time_in_force: code(draw),
            price: draw.between(-50, 20_000),
            qty: draw.between(-50, 300_000),
            ..IntentRecord::default()
        }
    }

    fn next_reference(&mut self) -> u64 {
        self.last += 1;
        self.used.push(self.last);
        self.last
    }
}
