//! The allowed arrows between crates, and who may use which outside crate. A new arrow is its own
//! commit: it edits this table and `docs/architecture.md`.

/// What a crate is, in the order of the house: arrows point upwards only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The vocabulary.
    Domain,
    /// A decider.
    Core,
    /// The built-in strategies.
    Strategies,
    /// Simulation and backtests.
    Sim,
    /// Wire, bus, store, chassis, recordings.
    Platform,
    /// A venue adapter, or the port.
    Venue,
    /// The built-in exchange as a server.
    Exchange,
    /// One of the five services.
    Service,
    /// The binary people type.
    Binary,
    /// Test kit and chores.
    Tool,
}

/// One crate of the workspace.
#[derive(Debug)]
pub(crate) struct Crate {
    /// Its package name.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) layer: Layer,
    /// The workspace crates it may depend on.
    pub(crate) may_use: &'static [&'static str],
}

impl Crate {
    /// Whether it holds decisions only: no I/O, clock, randomness or async.
    pub(crate) const fn is_pure(&self) -> bool {
        matches!(self.layer, Layer::Domain | Layer::Core | Layer::Strategies)
    }
}

const fn row(name: &'static str, layer: Layer, may_use: &'static [&'static str]) -> Crate {
    Crate {
        name,
        layer,
        may_use,
    }
}

/// Every crate of the workspace and its arrows.
pub(crate) const CRATES: &[Crate] = &[
    row("ploy-domain", Layer::Domain, &[]),
    row("ploy-exchange-core", Layer::Core, &["ploy-domain"]),
    row("ploy-orders-core", Layer::Core, &["ploy-domain"]),
    row("ploy-risk-core", Layer::Core, &["ploy-domain"]),
    row("ploy-strategy-core", Layer::Core, &["ploy-domain"]),
    row(
        "ploy-strategies",
        Layer::Strategies,
        &["ploy-domain", "ploy-strategy-core"],
    ),
    row("ploy-recordings", Layer::Platform, &["ploy-domain"]),
    row(
        "ploy-sim",
        Layer::Sim,
        &[
            "ploy-domain",
            "ploy-exchange-core",
            "ploy-orders-core",
            "ploy-risk-core",
            "ploy-strategy-core",
            "ploy-strategies",
            "ploy-recordings",
        ],
    ),
    row("ploy-wire", Layer::Platform, &["ploy-domain"]),
    row("ploy-bus", Layer::Platform, &[]),
    row("ploy-store", Layer::Platform, &[]),
    row(
        "ploy-chassis",
        Layer::Platform,
        &["ploy-domain", "ploy-bus", "ploy-store", "ploy-wire"],
    ),
    row("ploy-venue-port", Layer::Venue, &["ploy-domain"]),
    row(
        "ploy-venue-binance",
        Layer::Venue,
        &["ploy-domain", "ploy-venue-port"],
    ),
    row(
        "ploy-exchange-server",
        Layer::Exchange,
        &[
            "ploy-domain",
            "ploy-exchange-core",
            "ploy-recordings",
            "ploy-chassis",
        ],
    ),
    row(
        "ploy-gateway",
        Layer::Service,
        &[
            "ploy-domain",
            "ploy-wire",
            "ploy-bus",
            "ploy-store",
            "ploy-chassis",
        ],
    ),
    row(
        "ploy-ingestion",
        Layer::Service,
        &[
            "ploy-domain",
            "ploy-wire",
            "ploy-bus",
            "ploy-store",
            "ploy-chassis",
            "ploy-venue-port",
            "ploy-venue-binance",
        ],
    ),
    row(
        "ploy-strategy",
        Layer::Service,
        &[
            "ploy-domain",
            "ploy-wire",
            "ploy-bus",
            "ploy-store",
            "ploy-chassis",
            "ploy-strategy-core",
            "ploy-strategies",
        ],
    ),
    row(
        "ploy-risk",
        Layer::Service,
        &[
            "ploy-domain",
            "ploy-wire",
            "ploy-bus",
            "ploy-store",
            "ploy-chassis",
            "ploy-risk-core",
        ],
    ),
    row(
        "ploy-execution",
        Layer::Service,
        &[
            "ploy-domain",
            "ploy-wire",
            "ploy-bus",
            "ploy-store",
            "ploy-chassis",
            "ploy-orders-core",
            "ploy-venue-port",
            "ploy-venue-binance",
        ],
    ),
    row(
        "ploy",
        Layer::Binary,
        &[
            "ploy-domain",
            "ploy-wire",
            "ploy-bus",
            "ploy-store",
            "ploy-chassis",
            "ploy-sim",
            "ploy-recordings",
            "ploy-exchange-server",
            "ploy-orders-core",
            "ploy-strategy-core",
            "ploy-venue-port",
            "ploy-venue-binance",
            "ploy-gateway",
            "ploy-ingestion",
            "ploy-strategy",
            "ploy-risk",
            "ploy-execution",
        ],
    ),
    row("ploy-testkit", Layer::Tool, &["ploy-domain"]),
    row(
        "ploy-acceptance",
        Layer::Tool,
        &[
            "ploy-domain",
            "ploy-bus",
            "ploy-wire",
            "ploy-store",
            "ploy-orders-core",
            "ploy-exchange-server",
            "ploy-testkit",
        ],
    ),
    row("xtask", Layer::Tool, &[]),
];

/// The row of a crate.
pub(crate) fn find(name: &str) -> Option<&'static Crate> {
    CRATES.iter().find(|known| known.name == name)
}

/// What tests of any crate outside the pure ones may use besides the crate's own arrows.
pub(crate) const TESTS_MAY_USE: &[&str] = &["ploy-testkit", "ploy-domain", "ploy-exchange-server"];

/// The outside crates that a pure crate may use.
pub(crate) const PURE_MAY_USE: &[&str] = &["thiserror"];
/// The outside crates that tests and benches of a pure crate may use.
pub(crate) const PURE_TESTS_MAY_USE: &[&str] = &["proptest", "criterion", "flate2"];
/// The outside crates that the simulation may use besides: nothing that reaches the network.
pub(crate) const SIM_MAY_USE: &[&str] = &["thiserror", "serde", "serde_json", "clap"];

/// An outside crate that belongs to some of ours alone.
#[derive(Debug)]
pub(crate) struct Reserved {
    /// The beginning of its name.
    pub(crate) prefix: &'static str,
    /// Who may depend on it.
    pub(crate) owners: &'static [&'static str],
    /// Why.
    pub(crate) rule: &'static str,
}

/// Outside crates with owners.
pub(crate) const RESERVED: &[Reserved] = &[
    Reserved {
        prefix: "sqlx",
        owners: &["ploy-store"],
        rule: "the database driver is ploy-store's; services use its re-exports in store.rs",
    },
    Reserved {
        prefix: "async-nats",
        owners: &["ploy-bus"],
        rule: "A3: NATS types only in ploy-bus",
    },
    Reserved {
        prefix: "prost",
        owners: &["ploy-wire", "xtask"],
        rule: "A3: protobuf is encoded and decoded in ploy-wire",
    },
    Reserved {
        prefix: "tonic",
        owners: &[
            "ploy-wire",
            "ploy-chassis",
            "ploy-gateway",
            "ploy-ingestion",
            "ploy-strategy",
            "ploy-risk",
            "ploy-execution",
            "ploy-acceptance",
            "xtask",
        ],
        rule: "gRPC is spoken by ploy-wire, ploy-chassis and the services",
    },
];
