//! Reading: every byte is accounted for, or the journal is refused and the place is named.
//!
//! Only one kind of damage is forgiven: the last write may have been torn by a power cut. What
//! counts as torn is narrow. It lies in the last segment, behind that one's first group; a whole
//! disk sector of it reads as zeros, which is what a page that never reached the disk looks like,
//! or the file ends in it; and nothing that comes later may claim that it was durable.
//!
//! A reader holds one group, and a segment's rest only to judge a torn end.

use super::damage::{Damage, DamageReason, ReadFault};
use super::format::{
    ENTRY_BYTES_MAX, ENTRY_FRAME_LEN, GROUP_BYTES_MAX, GROUP_END, GROUP_HEADER_LEN, GROUP_MAGIC,
    GroupHeader, JOURNAL_VERSION, NoHeader, NoSegment, SEGMENT_BYTES, SEGMENT_HEADER_MAX,
    SegmentHeader,
};
use super::source::Source;
use super::torn::{
    Frames, claims_durable_beyond, first_bad_entry, has_lost_sector, is_zero, without_zeros,
};
use super::{Head, Watermark};
use crate::Digest;
use crate::bytes::len_u64;
use crate::tree::{TreeHasher, leaf_hash, log_leaf};

/// What is read at once at least.
const READ_BYTES: usize = 128 * 1024;

/// Where a journal ends: what is needed to go on there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The journal's name for itself, from its header.
    pub origin: String,
    /// Entries and the root over them.
    pub head: Head,
    /// Whole groups.
    pub groups: u64,
    /// The last segment.
    pub segment: u32,
    /// Bytes of it that hold whole groups.
    pub kept_bytes: u64,
    /// Bytes after them that a torn last write left. Whoever goes on records this number.
    pub torn_bytes: u64,
    pub(super) tree: TreeHasher,
}

/// A journal as it was read, whole. For a long one use a [`Reader`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// All entries, in order; the position is the seq.
    pub entries: Vec<Vec<u8>>,
    /// Where it ends.
    pub end: End,
}

/// Reads a whole journal into memory.
///
/// # Errors
/// The first damage, with its place. A torn last group is no damage: it is left out and counted.
pub fn read(source: impl Source) -> Result<Recovered, ReadFault> {
    let mut reader = Reader::open(source)?;
    let mut entries = Vec::new();
    while let Some(group) = reader.next()? {
        entries.extend(group.entries().map(<[u8]>::to_vec));
    }
    Ok(Recovered { entries, end: reader.into_end() })
}

impl Recovered {
    /// The entries as slices.
    #[must_use]
    pub fn slices(&self) -> Vec<&[u8]> {
        self.entries.iter().map(Vec::as_slice).collect()
    }

    /// The root over the first `size` entries; `None` if there are fewer.
    #[must_use]
    pub fn root_at(&self, size: u64) -> Option<Digest> {
        let prefix = self.entries.get(..usize::try_from(size).ok()?)?;
        let mut tree = TreeHasher::new();
        for entry in prefix {
            tree.push(&log_leaf(entry));
        }
        Some(tree.root())
    }
}

/// A whole group that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    /// Number of its first entry in the epoch.
    pub first_seq: u64,
    /// Entries of the epoch that its writer knew as durable when it was closed.
    pub durable_before: u64,
    payload: &'a [u8],
    leaf_hashes: &'a [Digest],
}

impl<'a> Group<'a> {
    /// Its entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut frames = Frames { rest: self.payload };
        std::iter::from_fn(move || frames.next().map(|(_, entry)| entry))
    }

    /// The hash of each entry's leaf, in order.
    pub(crate) const fn leaf_hashes(&self) -> &'a [Digest] {
        self.leaf_hashes
    }
}

/// Reads a journal group by group, in the memory of one group.
#[derive(Debug)]
pub struct Reader<S> {
    source: S,
    origin: String,
    segment: u32,
    /// Where the next group begins in the segment; 0 before its header was read.
    offset: u64,
    /// Bytes of the segment from `offset` on, as far as they were read.
    buffer: Vec<u8>,
    /// Bytes at the buffer's front that are done with.
    spent: usize,
    /// Whether the segment has given a group already.
    in_groups: bool,
    /// The limit under which the buffer was filled: beyond it, bytes may have changed since.
    filled_below: Option<Watermark>,
    group: u64,
    durable: u64,
    tree: TreeHasher,
    /// Of the group that was read last.
    leaf_hashes: Vec<Digest>,
    torn_bytes: Option<u64>,
}

impl<S: Source> Reader<S> {
    /// Opens a journal at its beginning.
    ///
    /// # Errors
    /// There is no first segment, or its header is damaged.
    pub fn open(source: S) -> Result<Self, ReadFault> {
        let mut reader = Self {
            source,
            origin: String::new(),
            segment: 1,
            offset: 0,
            buffer: Vec::new(),
            spent: 0,
            in_groups: false,
            filled_below: None,
            group: 0,
            durable: 0,
            tree: TreeHasher::new(),
            leaf_hashes: Vec::new(),
            torn_bytes: None,
        };
        reader.origin = reader.segment_header()?.origin;
        Ok(reader)
    }

    /// The next group; `None` at the end, of which [`Reader::into_end`] tells.
    ///
    /// For a journal that nobody writes meanwhile; else see [`Reader::next_below`].
    ///
    /// # Errors
    /// The first damage, with its place.
    #[expect(clippy::should_implement_trait, reason = "a group borrows from the reader")]
    pub fn next(&mut self) -> Result<Option<Group<'_>>, ReadFault> {
        self.step(None)
    }

    /// The next group whose entries lie below `durable`, an amount of the epoch's entries that is
    /// durable; `None` if there is none yet. So a reader can follow the writer.
    ///
    /// # Errors
    /// Damage: nothing below the watermark may be torn.
    pub fn next_below(&mut self, durable: Watermark) -> Result<Option<Group<'_>>, ReadFault> {
        if self.tree.size() >= durable.0 {
            return Ok(None);
        }
        self.step(Some(durable))
    }

    /// The journal's name for itself.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Entries so far and the root over them.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { size: self.tree.size(), root: self.tree.root() }
    }

    /// Where the journal ends, after [`Reader::next`] has said that it does.
    #[must_use]
    pub fn into_end(self) -> End {
        End {
            head: self.head(),
            origin: self.origin,
            groups: self.group,
            segment: self.segment,
            kept_bytes: self.offset,
            torn_bytes: self.torn_bytes.unwrap_or(0),
            tree: self.tree,
        }
    }

    fn step(&mut self, below: Option<Watermark>) -> Result<Option<Group<'_>>, ReadFault> {
        if self.torn_bytes.is_some() {
            return Ok(None);
        }
        if self.filled_below != below {
            self.filled_below = below;
            self.forget();
        }
        loop {
            if self.offset == 0 {
                self.segment_header()?;
            }
            let front = self.peek(GROUP_HEADER_LEN)?;
            let header = match GroupHeader::decode(front) {
                Ok(header) => header,
                Err(fault) if is_zero(front) && self.rest_is_zero()? => {
                    if !self.in_groups {
                        return Err(self.no_header(fault).into());
                    }
                    if below.is_none() && self.segment >= self.source.last_segment()? {
                        return Ok(None);
                    }
                    self.segment = self.segment.saturating_add(1);
                    self.offset = 0;
                    self.forget();
                    continue;
                }
                Err(fault) => {
                    let damage = self.no_header(fault);
                    return self.torn_or((GROUP_HEADER_LEN, 1), damage, below);
                }
            };
            return self.group(&header, below);
        }
    }

    /// Reads the group at the offset, or finds that it is the torn end.
    fn group(
        &mut self,
        header: &GroupHeader,
        below: Option<Watermark>,
    ) -> Result<Option<Group<'_>>, ReadFault> {
        self.check_place(header)?;
        let total = header.group_len();
        let bytes = self.peek(total)?;
        let payload_end = total.saturating_sub(GROUP_END.len());
        let payload = bytes.get(GROUP_HEADER_LEN..payload_end);
        let sound = payload.is_some_and(|payload| {
            bytes.get(payload_end..) == Some(&GROUP_END)
                && GroupHeader::expected_checksum(bytes, payload) == Some(header.checksum)
        });
        if !sound {
            let have = bytes.get(GROUP_HEADER_LEN..).unwrap_or_default();
            let have = have.get(..payload_end.saturating_sub(GROUP_HEADER_LEN)).unwrap_or(have);
            let damage = match first_bad_entry(header, have) {
                Some((entries, at)) => Damage {
                    entry: self.tree.size().saturating_add(entries),
                    offset: self
                        .offset
                        .saturating_add(len_u64(GROUP_HEADER_LEN.saturating_add(at))),
                    ..self.damage(DamageReason::Entry)
                },
                None => self.damage(DamageReason::Group),
            };
            return self.torn_or((total, total), damage, below);
        }
        self.take_entries(header, total)?;
        self.offset = self.offset.saturating_add(len_u64(total));
        self.spent = self.spent.saturating_add(total);
        self.in_groups = true;
        self.group = self.group.saturating_add(1);
        self.durable = header.durable_before;
        let from = self.spent.saturating_sub(total).saturating_add(GROUP_HEADER_LEN);
        let end = self.spent.saturating_sub(GROUP_END.len());
        let payload = self.buffer.get(from..end).unwrap_or_default();
        let (first_seq, durable_before) = (header.first_seq, header.durable_before);
        let leaf_hashes = self.leaf_hashes.as_slice();
        Ok(Some(Group { first_seq, durable_before, payload, leaf_hashes }))
    }

    /// Reads the header of the segment, which must go on where the one before it ended.
    fn segment_header(&mut self) -> Result<SegmentHeader, ReadFault> {
        let front = self.peek(SEGMENT_HEADER_MAX)?;
        let (header, length) = match SegmentHeader::decode(front) {
            Ok(decoded) => decoded,
            Err(fault) => {
                let length = len_u64(front.len());
                let (offset, reason) = match fault {
                    NoSegment::Short => (length, DamageReason::HeaderCut),
                    NoSegment::Magic => (0, DamageReason::NotAJournal),
                    NoSegment::Version(found) => (8, DamageReason::Version { found }),
                    NoSegment::Origin => (10, DamageReason::Origin),
                    NoSegment::Checksum => (8, DamageReason::Header),
                };
                return Err(Damage { offset, ..self.damage(reason) }.into());
            }
        };
        let follows = header.segment == self.segment
            && header.first_group == self.group
            && header.first_seq == self.tree.size()
            && header.root_before == self.tree.root();
        if !follows {
            return Err(self.damage(DamageReason::Header).into());
        }
        if self.segment > 1 && header.origin != self.origin {
            return Err(self.damage(DamageReason::Origin).into());
        }
        self.offset = len_u64(length);
        self.spent = length;
        self.in_groups = false;
        Ok(header)
    }

    /// A sound header must follow from everything before it: a torn write cannot invent one.
    fn check_place(&self, header: &GroupHeader) -> Result<(), Damage> {
        if header.version != JOURNAL_VERSION {
            return Err(self.damage(DamageReason::Version { found: header.version }));
        }
        let length_max = len_u64(GROUP_BYTES_MAX.max(ENTRY_BYTES_MAX + ENTRY_FRAME_LEN));
        let group_end = self.offset.saturating_add(len_u64(header.group_len()));
        if header.number != self.group
            || header.first_seq != self.tree.size()
            || header.count == 0
            || u64::from(header.payload_len) > length_max
            || group_end > SEGMENT_BYTES
        {
            return Err(self.damage(DamageReason::Sequence));
        }
        if !(self.durable..=header.first_seq).contains(&header.durable_before) {
            let claimed = header.durable_before;
            return Err(self.damage(DamageReason::Watermark { claimed }));
        }
        if header.root_before != self.tree.root() {
            return Err(self.damage(DamageReason::Root));
        }
        Ok(())
    }

    fn no_header(&self, fault: NoHeader) -> Damage {
        self.damage(match fault {
            NoHeader::Short | NoHeader::Magic => DamageReason::NoGroup,
            NoHeader::Checksum => DamageReason::GroupHeader,
        })
    }

    /// The torn end, if the `extent` bytes at the offset look torn and no group at `after` or
    /// later knows them as durable; else `damage`.
    fn torn_or(
        &mut self,
        (extent, after): (usize, usize),
        damage: Damage,
        below: Option<Watermark>,
    ) -> Result<Option<Group<'_>>, ReadFault> {
        let may_be_torn =
            below.is_none() && self.in_groups && self.segment == self.source.last_segment()?;
        if !may_be_torn {
            return Err(damage.into());
        }
        let (offset, size) = (self.offset, self.tree.size());
        let rest = self.rest()?;
        let magic = rest.get(..GROUP_MAGIC.len()).unwrap_or(rest);
        let is_cut = extent > rest.len() && GROUP_MAGIC.starts_with(magic);
        if !is_cut && !has_lost_sector(offset, extent, rest) {
            return Err(damage.into());
        }
        let written = without_zeros(rest);
        if claims_durable_beyond(size, written.get(after..).unwrap_or_default()) {
            return Err(Damage { reason: DamageReason::DurableLost, ..damage }.into());
        }
        self.torn_bytes = Some(len_u64(written.len()));
        Ok(None)
    }

    /// Adds the entries of the sound group at the buffer's front to the tree.
    fn take_entries(&mut self, header: &GroupHeader, total: usize) -> Result<(), Damage> {
        let miscounted = self.damage(DamageReason::Sequence);
        let payload = self.spent.saturating_add(GROUP_HEADER_LEN);
        let payload = payload..self.spent.saturating_add(total).saturating_sub(GROUP_END.len());
        let mut frames = Frames { rest: self.buffer.get(payload).unwrap_or_default() };
        self.leaf_hashes.clear();
        for _ in 0..header.count {
            let Some((_, entry)) = frames.next() else { return Err(miscounted) };
            let hash = leaf_hash(&log_leaf(entry));
            self.leaf_hashes.push(hash);
            self.tree.push_hash(hash);
        }
        if frames.rest.is_empty() { Ok(()) } else { Err(miscounted) }
    }

    fn damage(&self, reason: DamageReason) -> Damage {
        Damage {
            segment: self.segment,
            group: self.group,
            entry: self.tree.size(),
            offset: self.offset,
            reason,
        }
    }

    fn forget(&mut self) {
        self.buffer.clear();
        self.spent = 0;
    }

    /// The `count` bytes at the offset, or what is left of the file.
    fn peek(&mut self, count: usize) -> Result<&[u8], ReadFault> {
        let have = self.buffer.len().saturating_sub(self.spent);
        if have < count {
            self.buffer.drain(..self.spent);
            self.spent = 0;
            self.buffer.resize(count.max(READ_BYTES), 0);
            let free = self.buffer.get_mut(have..).unwrap_or_default();
            let from = self.offset.saturating_add(len_u64(have));
            let read = self.source.read_at(self.segment, from, free)?;
            self.buffer.truncate(have.saturating_add(read.unwrap_or(0)));
            if read.is_none() {
                return Err(self.damage(DamageReason::SegmentMissing).into());
            }
        }
        let rest = self.buffer.get(self.spent..).unwrap_or_default();
        Ok(rest.get(..count).unwrap_or(rest))
    }

    /// Everything from the offset to the segment's end.
    fn rest(&mut self) -> Result<&[u8], ReadFault> {
        let left = SEGMENT_BYTES.saturating_sub(self.offset);
        self.peek(usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// Whether nothing but zeros lies between the offset and the segment's end.
    fn rest_is_zero(&mut self) -> Result<bool, ReadFault> {
        let mut at = self.offset;
        let mut piece = vec![0; READ_BYTES];
        loop {
            let read = self.source.read_at(self.segment, at, &mut piece)?.unwrap_or(0);
            let found = piece.get(..read).unwrap_or_default();
            if found.is_empty() {
                return Ok(true);
            }
            if !is_zero(found) {
                return Ok(false);
            }
            at = at.saturating_add(len_u64(read));
        }
    }
}
