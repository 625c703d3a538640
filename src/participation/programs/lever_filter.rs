//! What a lever earns on.

use crate::platform::values::Country;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a lever earns on: what passes every filter. A filter that is null or left out lets everything pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({"product_families": ["azure"], "customers": {"public_sector": false}}))]
pub struct LeverFilter {
    /// Only these products, by SKU.
    #[schema(min_items = 1, max_items = 200, value_type = Option<Vec<CatalogueKey>>)]
    pub products: Option<Vec<String>>,
    /// Only these product families.
    #[schema(min_items = 1, max_items = 200, value_type = Option<Vec<CatalogueKey>>)]
    pub product_families: Option<Vec<String>>,
    /// Only sales to these customers.
    pub customers: CustomerFilter,
}

impl LeverFilter {
    /// The filter that lets everything pass but sales to partners.
    pub(super) const EVERY_SALE: Self = Self {
        products: None,
        product_families: None,
        customers: CustomerFilter { countries: None, public_sector: true, partners: false },
    };
}

/// Which customers a lever earns on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({"countries": ["DE"], "public_sector": false, "partners": false}))]
pub struct CustomerFilter {
    /// Only customers in these countries.
    #[schema(min_items = 1, max_items = 300)]
    pub countries: Option<Vec<Country>>,
    /// Whether customers of the public sector count.
    #[schema(default = true)]
    pub public_sector: bool,
    /// Whether customers that are partners themselves count.
    #[schema(default = false)]
    pub partners: bool,
}

impl Default for CustomerFilter {
    fn default() -> Self {
        Self { countries: None, public_sector: true, partners: false }
    }
}

/// A product's SKU or a product family; stands for the plain text in the contract.
struct CatalogueKey;

impl utoipa::PartialSchema for CatalogueKey {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .min_length(Some(1))
            .max_length(Some(128))
            .description(Some("A product's SKU, or a product family, as transactions name it."))
            .examples(["azure"])
            .into()
    }
}

impl ToSchema for CatalogueKey {}
