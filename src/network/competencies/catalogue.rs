//! The competencies a new database begins with.

use super::service;
use crate::{access::Tx, platform::Result};

/// The catalogue of late 2018, and one more competency that a rule set names.
const SHIPPED: [(&str, &str); 19] = [
    ("application-development", "Application Development"),
    ("application-integration", "Application Integration"),
    ("cloud-business-applications", "Cloud Business Applications"),
    ("cloud-crm", "Cloud Customer Relationship Management"),
    ("cloud-platform", "Cloud Platform"),
    ("cloud-productivity", "Cloud Productivity"),
    ("collaboration-and-content", "Collaboration and Content"),
    ("communications", "Communications"),
    ("data-analytics", "Data Analytics"),
    ("data-platform", "Data Platform"),
    ("datacenter", "Datacenter"),
    ("devops", "DevOps"),
    ("enterprise-mobility-management", "Enterprise Mobility Management"),
    ("erp", "Enterprise Resource Planning"),
    ("isv", "Independent Software Vendor"),
    ("messaging", "Messaging"),
    ("project-and-portfolio-management", "Project and Portfolio Management"),
    ("small-and-midmarket-cloud-solutions", "Small and Midmarket Cloud Solutions"),
    ("windows-and-devices", "Windows and Devices"),
];

/// Puts the catalogue into a new database.
pub fn install(tx: &mut Tx<'_>) -> Result<()> {
    for (code, name) in SHIPPED {
        service::create(tx, code, name, None)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::SHIPPED;
    use crate::{network::competencies::is_code, participation::programs::rule_sets::GUIDE_COMPETENCIES};

    #[test]
    fn the_catalogue_is_in_order_and_holds_what_rules_name() {
        let codes = SHIPPED.map(|(code, _)| code);
        assert!(codes.is_sorted() && codes.iter().all(|code| is_code(code)));
        assert!(GUIDE_COMPETENCIES.iter().all(|code| codes.contains(code)));
    }
}
