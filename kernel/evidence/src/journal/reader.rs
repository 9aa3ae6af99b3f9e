//! Reading: every byte is accounted for, or the journal is refused and the place is named.
//!
//! Only one kind of damage is forgiven: the last write may have been torn by a power cut. What
//! counts as torn is narrow. Either the file ends inside the last group, or a whole disk sector of
//! it reads as zeros, which is what a page that never reached the disk looks like. And nothing
//! that comes later in the file may claim that the group was durable.

use std::fmt;

use super::Head;
use super::format::{
    ENTRY_BYTES_MAX, ENTRY_FRAME_LEN, FILE_MAGIC, GROUP_BYTES_MAX, GROUP_END, GROUP_HEADER_LEN,
    GROUP_MAGIC, GroupHeader, JOURNAL_VERSION, NoHeader, chain_next, chain_start, file_header,
    is_origin,
};
use crate::Digest;
use crate::bytes::{ByteReader, len_u64};

/// Smallest unit that a disk writes; what is lost in a power cut is lost in such pieces.
const SECTOR_BYTES: usize = 512;

/// A journal as it was read. The entries borrow from the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered<'a> {
    /// The journal's name for itself, from its header.
    pub origin: &'a str,
    /// All entries, in order; the position is the seq.
    pub entries: Vec<&'a [u8]>,
    /// Size and chain at the end.
    pub head: Head,
    /// Whole groups.
    pub groups: u64,
    /// Bytes of the file that hold them.
    pub kept_bytes: u64,
    /// Bytes after them that a torn last write left. Whoever goes on records this number.
    pub torn_bytes_cut: u64,
}

/// What somebody outside knows of a journal: from a checkpoint, an approval or a seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor<'a> {
    /// The journal's origin.
    pub origin: &'a str,
    /// Entries it had.
    pub size: u64,
    /// The chain after them.
    pub chain: Digest,
}

/// Where a journal is damaged, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The group, counted from 0.
    pub group: u64,
    /// The first entry that cannot be believed.
    pub entry: u64,
    /// The byte offset in the file.
    pub offset: u64,
    /// What is wrong there.
    pub reason: DamageReason,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamageReason {
    /// The file ends inside its own header.
    HeaderCut,
    /// It does not begin as a journal does.
    NotAJournal,
    /// Written by a version that this one does not read.
    Version {
        /// The version found.
        found: u16,
    },
    /// The origin in the header is not printable, or not the one expected.
    Origin,
    /// The file header's checksum is wrong.
    HeaderChecksum,
    /// There is no group where one must begin.
    NoGroup,
    /// A group header's checksum is wrong.
    GroupHeader,
    /// A group's number, first seq, count or length does not follow from what is before it.
    Sequence,
    /// A group continues another chain.
    Chain,
    /// A group claims that more was durable than exists, or less than a group before it.
    Watermark {
        /// Entries it claims.
        claimed: u64,
    },
    /// An entry's checksum or length is wrong.
    Entry,
    /// A group's checksum or end mark is wrong.
    Group,
    /// A group looks torn, but a later one says that it was durable.
    DurableLost,
    /// The journal is shorter than what somebody outside has seen of it.
    Shortened,
    /// The journal is not the one that somebody outside has seen.
    Forked,
}

impl DamageReason {
    /// What is wrong, in words.
    const fn words(self) -> &'static str {
        match self {
            Self::HeaderCut => "the file ends inside its own header",
            Self::NotAJournal => "the file does not begin as a journal does",
            Self::Version { .. } => "written by a version that this one does not read",
            Self::Origin => "the journal of another origin",
            Self::HeaderChecksum => "the file header's checksum is wrong",
            Self::NoGroup => "no group where one must begin",
            Self::GroupHeader => "a group header's checksum is wrong",
            Self::Sequence => "a group does not follow the one before it",
            Self::Chain => "a group continues another chain",
            Self::Watermark { .. } => "a group claims more on disk than there is",
            Self::Entry => "an entry's checksum or length is wrong",
            Self::Group => "a group's checksum or end mark is wrong",
            Self::DurableLost => "a group that was on disk is torn",
            Self::Shortened => "shorter than what somebody outside has seen of it",
            Self::Forked => "not the journal that somebody outside has seen",
        }
    }
}

impl Damage {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.reason {
            DamageReason::HeaderCut | DamageReason::Shortened => "JOURNAL_TRUNCATED",
            DamageReason::Version { .. } => "JOURNAL_VERSION",
            DamageReason::Origin => "JOURNAL_ORIGIN",
            DamageReason::NotAJournal
            | DamageReason::HeaderChecksum
            | DamageReason::NoGroup
            | DamageReason::GroupHeader
            | DamageReason::Sequence
            | DamageReason::Chain
            | DamageReason::Watermark { .. }
            | DamageReason::Entry
            | DamageReason::Group
            | DamageReason::DurableLost
            | DamageReason::Forked => "JOURNAL_DAMAGED",
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, entry, offset, reason } = self;
        write!(f, "{} (group {group}, entry {entry}, byte {offset})", reason.words())
    }
}

impl std::error::Error for Damage {}

/// Reads a whole journal.
///
/// # Errors
/// The first damage, with its place. A torn last group is no damage: it is left out and counted.
pub fn read(bytes: &[u8]) -> Result<Recovered<'_>, Damage> {
    let (origin, header_len) = read_file_header(bytes).map_err(|(offset, reason)| Damage {
        group: 0,
        entry: 0,
        offset,
        reason,
    })?;
    let header = bytes.get(..header_len).unwrap_or_default();
    let mut walk = Walk {
        bytes,
        offset: header_len,
        group: 0,
        durable: 0,
        chain: chain_start(header),
        entries: Vec::new(),
    };
    while walk.offset < bytes.len() {
        if walk.group()? == Next::TornTail {
            break;
        }
    }
    Ok(walk.finish(origin))
}

impl Recovered<'_> {
    /// Whether this journal has `origin`.
    ///
    /// # Errors
    /// `JOURNAL_ORIGIN`.
    pub fn require_origin(&self, origin: &str) -> Result<(), Damage> {
        if self.origin == origin { Ok(()) } else { Err(refused(0, DamageReason::Origin)) }
    }

    /// Whether this journal continues what somebody outside has seen of it. This is what finds a
    /// journal cut at a group's end, or written anew: nothing inside the file can.
    ///
    /// # Errors
    /// `JOURNAL_ORIGIN`, `JOURNAL_TRUNCATED` if it is shorter, `JOURNAL_DAMAGED` if it differs.
    pub fn require_anchor(&self, anchor: &Anchor<'_>) -> Result<(), Damage> {
        self.require_origin(anchor.origin)?;
        let Some(chain) = self.chain_at(anchor.size) else {
            return Err(refused(self.head.size, DamageReason::Shortened));
        };
        if chain == anchor.chain { Ok(()) } else { Err(refused(0, DamageReason::Forked)) }
    }

    /// The chain after the first `size` entries; `None` if there are fewer.
    #[must_use]
    pub fn chain_at(&self, size: u64) -> Option<Digest> {
        if size == self.head.size {
            return Some(self.head.chain);
        }
        let prefix = self.entries.get(..usize::try_from(size).ok()?)?;
        let start = chain_start(&file_header(self.origin));
        Some((0..).zip(prefix).fold(start, |chain, (seq, entry)| chain_next(chain, seq, entry)))
    }
}

/// A refusal of the journal as a whole.
const fn refused(entry: u64, reason: DamageReason) -> Damage {
    Damage { group: 0, entry, offset: 0, reason }
}

/// Origin and length of the file header.
fn read_file_header(bytes: &[u8]) -> Result<(&str, usize), (u64, DamageReason)> {
    let cut = (len_u64(bytes.len()), DamageReason::HeaderCut);
    let mut reader = ByteReader::new(bytes);
    let magic: [u8; FILE_MAGIC.len()] = reader.array().ok_or(cut)?;
    if magic != FILE_MAGIC {
        return Err((0, DamageReason::NotAJournal));
    }
    let version_at = len_u64(FILE_MAGIC.len());
    let found = reader.u16().ok_or(cut)?;
    if found != JOURNAL_VERSION {
        return Err((version_at, DamageReason::Version { found }));
    }
    let origin_len = usize::from(reader.u16().ok_or(cut)?);
    let origin = reader.take(origin_len).ok_or(cut)?;
    reader.u32().ok_or(cut)?;
    let origin = std::str::from_utf8(origin).ok().filter(|origin| is_origin(origin));
    let origin = origin.ok_or((version_at, DamageReason::Origin))?;
    let expected = file_header(origin);
    if bytes.starts_with(&expected) {
        Ok((origin, expected.len()))
    } else {
        Err((version_at, DamageReason::HeaderChecksum))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Group,
    TornTail,
}

/// The state between two groups.
struct Walk<'a> {
    bytes: &'a [u8],
    offset: usize,
    group: u64,
    durable: u64,
    chain: Digest,
    entries: Vec<&'a [u8]>,
}

impl<'a> Walk<'a> {
    fn seq(&self) -> u64 {
        len_u64(self.entries.len())
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    /// Reads the group at the offset, or finds that it is the torn end.
    fn group(&mut self) -> Result<Next, Damage> {
        let rest = self.rest();
        let header = match GroupHeader::decode(rest) {
            Ok(header) => header,
            Err(fault) => return self.no_header(fault),
        };
        self.check_place(&header)?;
        let body = rest.get(GROUP_HEADER_LEN..).unwrap_or_default();
        let payload_len = usize::try_from(header.payload_len).unwrap_or(usize::MAX);
        let Some((payload, after)) = body.split_at_checked(payload_len) else {
            return Ok(Next::TornTail);
        };
        let Some(end) = after.first_chunk() else { return Ok(Next::TornTail) };
        let total = GROUP_HEADER_LEN.saturating_add(payload_len).saturating_add(GROUP_END.len());
        if *end != GROUP_END
            || GroupHeader::expected_checksum(rest, payload) != Some(header.checksum)
        {
            let bad_entry = self.first_bad_entry(&header, payload);
            return self.torn_or(total, total, bad_entry);
        }
        self.take_entries(&header, payload)?;
        self.offset = self.offset.saturating_add(total);
        self.group = self.group.saturating_add(1);
        self.durable = header.durable_before;
        Ok(Next::Group)
    }

    /// There is no sound group header at the offset.
    fn no_header(&self, fault: NoHeader) -> Result<Next, Damage> {
        let rest = self.rest();
        let (extent, reason) = match fault {
            NoHeader::Short if GROUP_MAGIC.starts_with(rest.get(..4).unwrap_or(rest)) => {
                return Ok(Next::TornTail);
            }
            NoHeader::Short | NoHeader::Magic => (rest.len(), DamageReason::NoGroup),
            NoHeader::Checksum => (rest.len(), DamageReason::GroupHeader),
        };
        self.torn_or(extent, 1, self.damage(reason))
    }

    /// A sound header must follow from everything before it: a torn write cannot invent one.
    fn check_place(&self, header: &GroupHeader) -> Result<(), Damage> {
        if header.version != JOURNAL_VERSION {
            return Err(self.damage(DamageReason::Version { found: header.version }));
        }
        let length_max = len_u64(GROUP_BYTES_MAX.max(ENTRY_BYTES_MAX + ENTRY_FRAME_LEN));
        if header.number != self.group
            || header.first_seq != self.seq()
            || header.count == 0
            || u64::from(header.payload_len) > length_max
        {
            return Err(self.damage(DamageReason::Sequence));
        }
        if !(self.durable..=header.first_seq).contains(&header.durable_before) {
            let claimed = header.durable_before;
            return Err(self.damage(DamageReason::Watermark { claimed }));
        }
        if header.chain_before != self.chain {
            return Err(self.damage(DamageReason::Chain));
        }
        Ok(())
    }

    /// The torn end, if the `extent` bytes at the offset look torn and no group at `after` or
    /// later knows them as durable; else `damage`.
    fn torn_or(&self, extent: usize, after: usize, damage: Damage) -> Result<Next, Damage> {
        let rest = self.rest();
        let group = rest.get(..extent).unwrap_or(rest);
        if !has_lost_sector(self.offset, group) {
            return Err(damage);
        }
        let later = rest.get(after..).unwrap_or_default();
        if claims_durable_beyond(self.seq(), later) {
            return Err(Damage { reason: DamageReason::DurableLost, ..damage });
        }
        Ok(Next::TornTail)
    }

    fn take_entries(&mut self, header: &GroupHeader, payload: &'a [u8]) -> Result<(), Damage> {
        let miscounted = self.damage(DamageReason::Sequence);
        let mut frames = Frames::new(payload);
        for _ in 0..header.count {
            let Some((_, entry)) = frames.next() else {
                return Err(miscounted);
            };
            self.chain = chain_next(self.chain, self.seq(), entry);
            self.entries.push(entry);
        }
        if frames.is_at_end() { Ok(()) } else { Err(miscounted) }
    }

    /// Names the entry of a damaged group that is to blame, if one is.
    fn first_bad_entry(&self, header: &GroupHeader, payload: &[u8]) -> Damage {
        let (mut frames, mut entry) = (Frames::new(payload), self.seq());
        for _ in 0..header.count {
            let at = payload.len().saturating_sub(frames.remaining());
            match frames.next() {
                Some((checksum, bytes)) if crc32c::crc32c(bytes) == checksum => {
                    entry = entry.saturating_add(1);
                }
                _ => {
                    let offset = self.offset.saturating_add(GROUP_HEADER_LEN).saturating_add(at);
                    let (group, offset) = (self.group, len_u64(offset));
                    return Damage { group, entry, offset, reason: DamageReason::Entry };
                }
            }
        }
        self.damage(DamageReason::Group)
    }

    fn damage(&self, reason: DamageReason) -> Damage {
        Damage { group: self.group, entry: self.seq(), offset: len_u64(self.offset), reason }
    }

    fn finish(self, origin: &'a str) -> Recovered<'a> {
        let torn = self.bytes.len().saturating_sub(self.offset);
        Recovered {
            origin,
            head: Head { size: self.seq(), chain: self.chain },
            entries: self.entries,
            groups: self.group,
            kept_bytes: len_u64(self.offset),
            torn_bytes_cut: len_u64(torn),
        }
    }
}

/// The frames of one payload: checksum and bytes of each entry.
struct Frames<'a> {
    rest: &'a [u8],
}

impl<'a> Frames<'a> {
    const fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    fn next(&mut self) -> Option<(u32, &'a [u8])> {
        let mut reader = ByteReader::new(self.rest);
        let length = usize::try_from(reader.u32()?).ok()?;
        let checksum = reader.u32()?;
        let entry = reader.take(length)?;
        self.rest = self.rest.get(ENTRY_FRAME_LEN.saturating_add(length)..)?;
        Some((checksum, entry))
    }

    const fn remaining(&self) -> usize {
        self.rest.len()
    }

    const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Whether a sector's share of `group`, which lies at `offset` of the file, is all zeros.
///
/// A group begins and ends with bytes that are not zero and its entries are text, so that no
/// sound group and none with a few wrong bits has such a piece.
fn has_lost_sector(offset: usize, group: &[u8]) -> bool {
    let in_sector = offset.checked_rem(SECTOR_BYTES).unwrap_or(0);
    let first = SECTOR_BYTES.saturating_sub(in_sector).min(group.len());
    let (head, tail) = group.split_at_checked(first).unwrap_or_default();
    let lost = |piece: &[u8]| !piece.is_empty() && piece.iter().all(|byte| *byte == 0);
    lost(head) || tail.chunks(SECTOR_BYTES).any(lost)
}

/// Whether a group header anywhere in `bytes` says that more than `size` entries were durable.
fn claims_durable_beyond(size: u64, bytes: &[u8]) -> bool {
    bytes
        .windows(GROUP_HEADER_LEN)
        .filter(|window| window.starts_with(&GROUP_MAGIC))
        .filter_map(|window| GroupHeader::decode(window).ok())
        .any(|header| header.durable_before > size)
}
