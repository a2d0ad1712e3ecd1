//! The stations and observations of all tenants; every statement is bound to a tenant.

use std::time::Duration;

use tapisservice::db::{ByTenant, Database, QueryError, Statement, TextUuid, Timestamp, Transaction};
use tapisservice::prelude::*;

use crate::observations::Observation;
use crate::stations::{Station, StationInput};

const STATIONS: &str =
    "SELECT station_id, name, latitude, longitude, system_id, created FROM stations WHERE tenant_id = $1";

/// The database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    database: Database,
}

impl Store {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    pub(crate) async fn list(
        &self,
        tenant: &TenantId,
        limit: u32,
        skip: u32,
    ) -> Result<Vec<Station>, QueryError> {
        let scope = self.database.for_tenant(tenant);
        let list = scope.query(STATIONS).push(" ORDER BY name LIMIT ").push_bind(i64::from(limit));
        list.push(" OFFSET ").push_bind(i64::from(skip)).fetch_all().await
    }

    pub(crate) async fn get(&self, tenant: &TenantId, id: TextUuid) -> Result<Station, QueryError> {
        find(self.database.for_tenant(tenant).query(STATIONS), id).await
    }

    pub(crate) async fn create(&self, tenant: &TenantId, new: &StationInput) -> Result<Station, QueryError> {
        let insert = "INSERT INTO stations (tenant_id, station_id, name, latitude, longitude, system_id, created) \
            VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING station_id, name, latitude, longitude, system_id, created";
        let scope = self.database.for_tenant(tenant);
        let insert = with(scope.query(insert).bind(TextUuid::generate()), new);
        insert.bind(Timestamp::now()).fetch_one().await
    }

    pub(crate) async fn update(
        &self,
        tenant: &TenantId,
        id: TextUuid,
        new: &StationInput,
    ) -> Result<Station, QueryError> {
        let update = "UPDATE stations SET name = $3, latitude = $4, longitude = $5, system_id = $6 \
            WHERE station_id = $2 AND tenant_id = $1 RETURNING station_id, name, latitude, longitude, system_id, created";
        let scope = self.database.for_tenant(tenant);
        with(scope.query(update).bind(id), new).fetch_one().await
    }

    pub(crate) async fn delete(&self, tenant: &TenantId, id: TextUuid) -> Result<Station, QueryError> {
        let mut transaction = self.database.for_tenant(tenant).begin().await?;
        let station = find(transaction.query(STATIONS), id).await?;
        for delete in [
            "DELETE FROM observations WHERE station_id = $2 AND tenant_id = $1",
            "DELETE FROM stations WHERE station_id = $2 AND tenant_id = $1",
        ] {
            transaction.query(delete).bind(id).execute().await?;
        }
        transaction.commit().await?;
        Ok(station)
    }

    /// The latest 1000 observations.
    pub(crate) async fn latest(
        &self,
        tenant: &TenantId,
        id: TextUuid,
    ) -> Result<Vec<Observation>, QueryError> {
        let latest = "SELECT observed, celsius FROM observations WHERE tenant_id = $1 AND station_id = $2 \
            ORDER BY observed DESC LIMIT 1000";
        self.database.for_tenant(tenant).query(latest).bind(id).fetch_all().await
    }

    /// Adds observations; of a time that is there already, the later value counts. Returns their number.
    pub(crate) async fn import(
        &self,
        tenant: &TenantId,
        id: TextUuid,
        batch: &[Observation],
    ) -> Result<usize, QueryError> {
        let mut transaction = self.database.for_tenant(tenant).begin().await?;
        for observation in batch {
            add(&mut transaction, id, observation).await?;
        }
        transaction.commit().await?;
        Ok(batch.len())
    }

    /// Deletes the observations of all tenants that are older than this.
    pub(crate) async fn purge(&self, days: u16) -> Result<(), QueryError> {
        let oldest = Timestamp::now() - Duration::from_hours(24 * u64::from(days));
        #[expect(clippy::disallowed_methods, reason = "every tenant's observations age")]
        let scope = self.database.across_tenants("every tenant's observations age");
        let purged =
            scope.query("DELETE FROM observations WHERE observed < ").push_bind(oldest).execute().await?;
        tracing::info!(purged, "observations purged");
        Ok(())
    }
}

fn with<'q>(statement: Statement<'q>, station: &StationInput) -> Statement<'q> {
    let statement = statement.bind(station.name.clone()).bind(station.latitude).bind(station.longitude);
    statement.bind(station.system_id.clone())
}

async fn find(select: Statement<'_>, id: TextUuid) -> Result<Station, QueryError> {
    select.push(" AND station_id = ").push_bind(id).fetch_one().await
}

async fn add(
    transaction: &mut Transaction<ByTenant>,
    id: TextUuid,
    new: &Observation,
) -> Result<(), QueryError> {
    let insert = "INSERT INTO observations (tenant_id, station_id, observed, celsius) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (tenant_id, station_id, observed) DO UPDATE SET celsius = excluded.celsius";
    transaction.query(insert).bind(id).bind(new.observed).bind(new.celsius).execute().await.map(drop)
}
