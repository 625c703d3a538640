//! Where files are kept beside the database.

use super::Settings;
use crate::platform::{db::Target, objects::StoreAddress};

impl Settings {
    /// The store of proofs.
    #[must_use]
    pub fn proof_store(&self) -> StoreAddress {
        self.proof_store.clone().unwrap_or_else(|| {
            StoreAddress::Folder(match &self.database_url {
                Target::Sqlite(path) => path.with_extension("proofs"),
                Target::Postgres(_) => "data/partner-incentives.proofs".into(),
            })
        })
    }
}
