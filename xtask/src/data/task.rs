//! Made-up tasks of people who write several languages in several time zones.

/// One task, in words that every format can say.
pub(super) struct Sample {
    pub(super) title: String,
    pub(super) description: Option<&'static str>,
    pub(super) status: &'static str,
    pub(super) priority: &'static str,
    pub(super) tags: Vec<&'static str>,
    /// A date, or a date with hour and minute, in the task's zone.
    pub(super) due: Option<Due>,
    pub(super) time_zone: &'static str,
    pub(super) recurrence: Option<&'static str>,
    pub(super) reminders: Vec<u32>,
    pub(super) subtasks: Vec<(&'static str, bool)>,
}

/// When a task is due.
#[derive(Clone, Copy)]
pub(super) struct Due {
    pub(super) year: u32,
    pub(super) month: u32,
    pub(super) day: u32,
    /// Hour and minute in UTC; none for the whole day.
    pub(super) time: Option<(u32, u32)>,
}

impl Due {
    /// `2026-03-01` or `2026-03-01T09:00:00Z`.
    pub(super) fn rfc3339(self) -> String {
        let Self { year, month, day, time } = self;
        match time {
            None => format!("{year:04}-{month:02}-{day:02}"),
            Some((hour, minute)) => format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z"),
        }
    }
}

/// People of one language: their zones, what they do, and to what.
struct Voice {
    zones: &'static [&'static str],
    actions: &'static [&'static str],
    things: &'static [&'static str],
    details: &'static [&'static str],
}

const VOICES: &[Voice] = &[
    Voice {
        zones: &["Europe/London", "America/New_York", "Australia/Sydney"],
        actions: &["Buy", "Return", "Call about", "Plan", "Repair", "Pay for", "Clean", "Book", "Cancel", "Order"],
        things: &[
            "milk and eggs",
            "the library books",
            "the dentist",
            "Sam's birthday",
            "the bike",
            "the rent",
            "the kitchen",
            "train tickets",
            "the gym",
            "new running shoes",
        ],
        details: &[
            "Ask for a receipt.",
            "Before the shops close; the one on the corner has it too.",
            "See last year's notes: 50% off, code “SPRING_26”.",
        ],
    },
    Voice {
        zones: &["Europe/Berlin", "Europe/Zurich"],
        actions: &["Kaufen:", "Prüfen:", "Überweisen:", "Anrufen:", "Abholen:", "Kündigen:", "Aufräumen:"],
        things: &[
            "Brötchen für Sonntag",
            "Steuererklärung",
            "Miete",
            "Großmutter",
            "Paket bei der Post",
            "Fitnessstudio",
            "Keller",
        ],
        details: &["Öffnungszeiten: Mo–Fr 8–18 Uhr.", "Straße und Hausnummer nicht vergessen!"],
    },
    Voice {
        zones: &["Europe/Paris", "America/Montreal"],
        actions: &["Acheter", "Préparer", "Réserver", "Envoyer", "Payer"],
        things: &[
            "du pain à l'ancienne",
            "le dîner de Noël",
            "un hôtel à Nîmes",
            "la déclaration d'impôts",
            "la facture d'électricité",
        ],
        details: &["Ça presse ; voir avec Zoë.", "N° de dossier : 2026/03-Ω."],
    },
    Voice {
        zones: &["Asia/Tokyo"],
        actions: &["買う：", "電話する：", "予約：", "提出：", "掃除："],
        things: &["牛乳と卵", "歯医者", "新幹線の切符", "経費の報告書", "台所"],
        details: &["駅前の店は二十時まで。", "領収書をもらうこと。"],
    },
    Voice {
        zones: &["Asia/Kolkata"],
        actions: &["खरीदें:", "भुगतान:", "फ़ोन करें:"],
        things: &["दूध और सब्ज़ी", "बिजली का बिल", "नानी को", "ट्रेन का टिकट"],
        details: &["रसीद संभाल कर रखें।"],
    },
    Voice {
        zones: &["America/Sao_Paulo", "Europe/Lisbon"],
        actions: &["Comprar", "Marcar", "Pagar", "Arrumar"],
        things: &["pão de queijo", "consulta médica", "o condomínio", "a garagem", "presente da avó"],
        details: &["Não esquecer o cartão de fidelidade."],
    },
    Voice {
        zones: &["Africa/Cairo", "Asia/Dubai"],
        actions: &["شراء", "دفع", "الاتصال بـ"],
        things: &["الخبز والحليب", "فاتورة الماء", "طبيب الأسنان", "تذاكر السفر"],
        details: &["قبل الساعة الخامسة مساءً."],
    },
    Voice {
        zones: &["America/Los_Angeles", "Pacific/Auckland", "Australia/Lord_Howe"],
        actions: &["🛒", "✈️ Pack", "🧹 Tidy", "📞 Ring"],
        things: &["groceries 🥦🥕", "for Queenstown", "the shed", "Nana 👵🏽", "the café's Wi‑Fi people"],
        details: &["family of 👨‍👩‍👧‍👦: four seats", "tab\tand \"quotes\", commas; and a backslash \\"],
    },
];

const TAGS: &[&str] = &["home", "work", "errands", "family", "health", "büro", "買い物", "travel", "money", "garden"];
const STEPS: &[&str] = &["make a list", "compare prices", "ask Ada", "pay", "clean up", "Überblick verschaffen"];
const RECURRENCES: &[&str] =
    &["daily", "weekly", "monthly", "yearly", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=MONTHLY;BYDAY=-1FR", "0 9 * * 1-5"];

/// A sequence of numbers that is the same everywhere (SplitMix64).
struct Numbers(u64);

impl Numbers {
    /// One of `0..count`.
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % count as u64) as usize
    }

    fn pick<V: Copy>(&mut self, choices: &[V]) -> V {
        choices[self.below(choices.len())]
    }

    /// True in so many cases of a hundred.
    fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    fn number(&mut self, from: u32, to: u32) -> u32 {
        from + self.below((to - from + 1) as usize) as u32
    }
}

/// Makes tasks.
pub(super) fn samples(seed: u64, count: usize) -> Vec<Sample> {
    let mut numbers = Numbers(seed);
    (0..count).map(|index| sample(&mut numbers, index)).collect()
}

fn sample(numbers: &mut Numbers, index: usize) -> Sample {
    let voice = &VOICES[numbers.below(VOICES.len())];
    let title = format!("{} {} ({})", numbers.pick(voice.actions), numbers.pick(voice.things), index + 1);
    let due = numbers.percent(60).then(|| Due {
        year: numbers.number(2024, 2027),
        month: numbers.number(1, 12),
        day: numbers.number(1, 28),
        time: numbers.percent(60).then(|| (numbers.number(0, 23), numbers.number(0, 11) * 5)),
    });
    let tags = (0..numbers.below(4)).map(|_| numbers.pick(TAGS)).collect::<std::collections::BTreeSet<_>>();
    let (time_zone, description) =
        (numbers.pick(voice.zones), numbers.percent(35).then(|| numbers.pick(voice.details)));
    Sample {
        title,
        description,
        status: numbers.pick(&["pending", "pending", "pending", "in-progress", "completed", "completed"]),
        priority: numbers.pick(&["low", "medium", "medium", "high", "urgent"]),
        tags: tags.into_iter().collect(),
        due,
        time_zone,
        recurrence: (due.is_some() && numbers.percent(8)).then(|| numbers.pick(RECURRENCES)),
        reminders: if due.is_some() && numbers.percent(15) {
            vec![numbers.pick(&[10_u32, 30, 60, 1_440])]
        } else {
            Vec::new()
        },
        subtasks: if numbers.percent(10) {
            (0..numbers.number(1, 4)).map(|_| (numbers.pick(STEPS), numbers.percent(30))).collect()
        } else {
            Vec::new()
        },
    }
}
