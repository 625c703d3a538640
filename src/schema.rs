//! The tables, for both databases: one list of columns, native types on each side.
//!
//! A table has one owner: the slice whose files alone name it. Other slices ask the owner's public face; the checks in
//! `operations::verify` read every table. `tests/architecture.rs` reads the owners from here.
//!
//! `tests/suite/schema.rs` proves that every table and column here exists in both databases.

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `network::partners`.
    partners (id) {
        id -> Guid,
        mpn_id -> Text,
        legal_name -> Text,
        country -> Text,
        currency -> Text,
        partner_type -> Text,
        headquarters_id -> Nullable<Guid>,
        headquarters_since -> Nullable<Date>,
        contact_email -> Text,
        status -> Text,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
        search_text -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `network::partners`.
    partner_periods (partner_id, last_day) {
        partner_id -> Guid,
        last_day -> Date,
        status -> Text,
        country -> Text,
        headquarters_id -> Nullable<Guid>,
        headquarters_since -> Nullable<Date>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `network::partners`.
    partner_numbers (mpn_id) {
        mpn_id -> Text,
        partner_id -> Guid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `identity::users`.
    users (id) {
        id -> Guid,
        email -> Text,
        name -> Text,
        role -> Text,
        partner_id -> Nullable<Guid>,
        status -> Text,
        password_hash -> Text,
        must_change_password -> Bool,
        token_epoch -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
        locale -> Text,
        password_expires_at -> Nullable<Instant>,
        has_second_factor -> Bool,
        issuer -> Nullable<Text>,
        issuer_subject -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `identity::users`.
    user_counts (partner_id, last_day) {
        partner_id -> Guid,
        last_day -> Date,
        active_users -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `access`.
    database_kind (only_row) {
        only_row -> Integer,
        kind -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `access`.
    signing_keys (id) {
        id -> Guid,
        private_key -> Binary,
        public_key -> Binary,
        created_at -> Instant,
        retires_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `access`.
    idempotency_keys (caller_id, idempotency_key) {
        caller_id -> Guid,
        idempotency_key -> Text,
        fingerprint -> Binary,
        status -> Integer,
        location -> Nullable<Text>,
        etag -> Nullable<Text>,
        body -> Binary,
        created_at -> Instant,
        language -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `audit`.
    audit_events (id) {
        id -> Guid,
        occurred_at -> Instant,
        actor_id -> Nullable<Guid>,
        actor_role -> Text,
        operation -> Text,
        resource_type -> Text,
        resource_id -> Guid,
        partner_id -> Nullable<Guid>,
        before -> Nullable<Document>,
        after -> Nullable<Document>,
        reason -> Nullable<Text>,
        request_id -> Text,
        sequence -> Nullable<BigInt>,
        hash -> Nullable<Binary>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `network::agreements`.
    agreements (partner_id, id) {
        id -> Guid,
        kind -> Text,
        partner_id -> Guid,
        agreement_number -> Text,
        signed_by -> Text,
        signed_on -> Date,
        effective_on -> Date,
        expires_on -> Nullable<Date>,
        terminated_on -> Nullable<Date>,
        termination_reason -> Nullable<Text>,
        membership_level -> Nullable<Text>,
        grace_days -> Integer,
        region -> Nullable<Text>,
        distributor_authorization -> Nullable<Bool>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `network::agreements`.
    agreement_numbers (kind, agreement_number) {
        kind -> Text,
        agreement_number -> Text,
        partner_id -> Guid,
        agreement_id -> Guid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `network::competencies`.
    competencies (id) {
        id -> Guid,
        code -> Text,
        name -> Text,
        retired_on -> Nullable<Date>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `network::competencies`.
    attainments (partner_id, id) {
        id -> Guid,
        partner_id -> Guid,
        competency_code -> Text,
        level -> Text,
        attained_on -> Date,
        expires_on -> Date,
        grace_days -> Integer,
        at_risk_since -> Nullable<Date>,
        revoked_on -> Nullable<Date>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `participation::programs`.
    programs (id) {
        id -> Guid,
        code -> Text,
        name -> Text,
        partner_types -> Document,
        status -> Text,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
        holidays -> Document,
        coop_audit_size -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `participation::programs`.
    program_periods (program_id, last_day) {
        program_id -> Guid,
        last_day -> Date,
        partner_types -> Document,
        status -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `participation::programs`.
    program_versions (id) {
        id -> Guid,
        program_id -> Guid,
        version -> Integer,
        program_year -> Integer,
        effective_from -> Date,
        effective_to -> Date,
        requirements -> Document,
        levers -> Document,
        rebate_rate -> BigInt,
        payment_threshold -> BigInt,
        coop_threshold -> BigInt,
        currency -> Text,
        invitation_days -> Integer,
        rounding -> Text,
        state -> Text,
        published_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
        coop_activities -> Document,
        fast_track_amount -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `participation::eligibility`.
    evaluations (partner_id, id) {
        id -> Guid,
        partner_id -> Guid,
        program_id -> Guid,
        version -> Integer,
        as_of -> Date,
        evaluated_at -> Instant,
        outcome -> Text,
        eligible_until -> Nullable<Date>,
        checks -> Document,
    }
}

// What readers see: `transaction_records` without what an import under way has written.
diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `sales::transactions`.
    transactions (partner_id, id) {
        id -> Guid,
        source -> Text,
        external_id -> Text,
        partner_id -> Guid,
        provider_id -> Nullable<Guid>,
        customer_id -> Text,
        customer_country -> Text,
        customer_public_sector -> Bool,
        product -> Text,
        product_family -> Text,
        kind -> Text,
        original_transaction_id -> Nullable<Guid>,
        occurred_on -> Date,
        amount -> BigInt,
        currency -> Text,
        units -> Nullable<Integer>,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `sales::transactions`.
    transaction_records (partner_id, id) {
        id -> Guid,
        source -> Text,
        external_id -> Text,
        partner_id -> Guid,
        provider_id -> Nullable<Guid>,
        customer_id -> Text,
        customer_country -> Text,
        customer_public_sector -> Bool,
        product -> Text,
        product_family -> Text,
        kind -> Text,
        original_transaction_id -> Nullable<Guid>,
        occurred_on -> Date,
        amount -> BigInt,
        currency -> Text,
        units -> Nullable<Integer>,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `sales::transactions`.
    transaction_numbers (source, external_id) {
        source -> Text,
        external_id -> Text,
        partner_id -> Guid,
        transaction_id -> Guid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `sales::transactions`.
    unpublished_transactions (slot) {
        slot -> Integer,
        first_id -> Guid,
        last_id -> Guid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `sales::imports`.
    transaction_imports (id) {
        id -> Guid,
        state -> Text,
        format -> Text,
        dry_run -> Bool,
        rows_read -> BigInt,
        created -> BigInt,
        unchanged -> BigInt,
        conflicts -> BigInt,
        invalid -> BigInt,
        errors_kept -> BigInt,
        failure -> Nullable<Text>,
        started_at -> Instant,
        finished_at -> Nullable<Instant>,
        revision -> BigInt,
        ignores_unknown_columns -> Bool,
        waiting -> BigInt,
        unknown_family_rows -> BigInt,
        unknown_families -> Document,
        file_pieces -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `sales::imports`.
    transaction_import_errors (id) {
        id -> Guid,
        import_id -> Guid,
        line -> BigInt,
        pointer -> Text,
        code -> Text,
        message -> Text,
        external_id -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `sales::imports`.
    transaction_import_rows (import_id, line) {
        import_id -> Guid,
        line -> BigInt,
        waits -> Bool,
        cells -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `sales::imports`.
    transaction_import_pieces (import_id, place) {
        import_id -> Guid,
        place -> BigInt,
        kept_at -> Instant,
        bytes -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `network::profiles`.
    payout_profiles (partner_id) {
        id -> Guid,
        partner_id -> Guid,
        holder -> Text,
        holder_latin -> Nullable<Text>,
        account -> Nullable<Binary>,
        account_number -> Nullable<Binary>,
        routing_kind -> Nullable<Text>,
        routing_number -> Nullable<Text>,
        bank_country -> Text,
        bic -> Nullable<Text>,
        address_country -> Nullable<Text>,
        town -> Nullable<Text>,
        street -> Nullable<Text>,
        building_number -> Nullable<Text>,
        post_code -> Nullable<Text>,
        address_line_1 -> Nullable<Text>,
        address_line_2 -> Nullable<Text>,
        currency -> Text,
        state -> Text,
        rejection_reason -> Nullable<Text>,
        approved_by -> Nullable<Guid>,
        cooling_off_until -> Nullable<Date>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
        account_revision -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `network::profiles`.
    tax_profiles (partner_id) {
        id -> Guid,
        partner_id -> Guid,
        form -> Text,
        tax_country -> Text,
        tax_id -> Binary,
        signed_on -> Date,
        expires_on -> Nullable<Date>,
        tin_status -> Text,
        state -> Text,
        rejection_reason -> Nullable<Text>,
        approved_by -> Nullable<Guid>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `network::profiles`.
    profile_approvals (partner_id, approved_at) {
        partner_id -> Guid,
        approved_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `participation::enrollments`.
    enrollments (partner_id, id) {
        id -> Guid,
        partner_id -> Guid,
        program_id -> Guid,
        version -> Integer,
        program_year -> Integer,
        state -> Text,
        invited_on -> Nullable<Date>,
        invitation_expires_on -> Nullable<Date>,
        accepted_by -> Nullable<Guid>,
        earnings_start_on -> Nullable<Date>,
        ineligible_since -> Nullable<Date>,
        let_in_on -> Nullable<Date>,
        ended_on -> Nullable<Date>,
        evaluation_id -> Guid,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `participation::enrollments`.
    enrollment_changes (partner_id, enrollment_id, id) {
        id -> Guid,
        partner_id -> Guid,
        enrollment_id -> Guid,
        from_state -> Nullable<Text>,
        to_state -> Text,
        cause -> Text,
        actor_id -> Nullable<Guid>,
        as_of -> Date,
        evaluation_id -> Guid,
        reason -> Nullable<Text>,
        occurred_at -> Instant,
        earnings_start_on -> Nullable<Date>,
        ineligible_since -> Nullable<Date>,
        let_in_on -> Nullable<Date>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `notifications`.
    notifications (id) {
        id -> Guid,
        user_id -> Guid,
        partner_id -> Nullable<Guid>,
        kind -> Text,
        resource_type -> Text,
        resource_id -> Guid,
        subject -> Text,
        body -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `identity::sessions`.
    sessions (id) {
        id -> Guid,
        user_id -> Guid,
        address -> Text,
        user_agent -> Nullable<Text>,
        epoch -> BigInt,
        created_at -> Instant,
        last_used_at -> Instant,
        expires_at -> Instant,
        ended_at -> Nullable<Instant>,
        ended_because -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `identity::sessions`.
    refresh_tokens (digest) {
        digest -> Binary,
        session_id -> Guid,
        created_at -> Instant,
        used_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `identity::sessions`.
    sign_in_throttles (digest) {
        digest -> Binary,
        failures -> BigInt,
        failed_at -> Instant,
        blocked_until -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `identity::sessions`.
    known_addresses (user_id, address) {
        user_id -> Guid,
        address -> Text,
        first_seen_at -> Instant,
        last_seen_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `identity::password_resets`.
    password_reset_requests (id) {
        id -> Guid,
        email -> Text,
        requested_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `identity::password_resets`.
    password_resets (user_id) {
        user_id -> Guid,
        digest -> Binary,
        mailed_at -> Instant,
        expires_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `identity::second_factors`.
    second_factors (user_id) {
        user_id -> Guid,
        secret -> Binary,
        last_step -> BigInt,
        confirmed_at -> Nullable<Instant>,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `identity::second_factors`.
    recovery_codes (user_id, digest) {
        user_id -> Guid,
        digest -> Binary,
        used_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `identity::api_clients`.
    api_clients (id) {
        id -> Guid,
        name -> Text,
        role -> Text,
        partner_id -> Nullable<Guid>,
        scopes -> Document,
        status -> Text,
        expires_at -> Nullable<Instant>,
        last_used_at -> Nullable<Instant>,
        token_epoch -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `identity::api_clients`.
    api_client_secrets (digest) {
        digest -> Binary,
        client_id -> Guid,
        created_at -> Instant,
        expires_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `identity::setup`.
    partner_setups (partner_id) {
        partner_id -> Guid,
        state -> Text,
        list_sent_at -> Instant,
        list_sent_by -> Nullable<Guid>,
        completed_at -> Nullable<Instant>,
        completed_by -> Nullable<Guid>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `notifications`.
    deliveries (notification_id) {
        notification_id -> Guid,
        recipient -> Text,
        message_id -> Text,
        html -> Text,
        secret -> Nullable<Binary>,
        state -> Text,
        attempts -> BigInt,
        due_at -> Instant,
        sent_at -> Nullable<Instant>,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `participation::admission`.
    reminders (partner_id, enrollment_id, lapses_on, stage) {
        partner_id -> Guid,
        enrollment_id -> Guid,
        lapses_on -> Date,
        stage -> Text,
        sent_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `operations::jobs`.
    job_runs (id) {
        id -> Guid,
        job -> Text,
        day -> Date,
        state -> Text,
        step -> Text,
        position -> Nullable<Text>,
        done -> BigInt,
        total -> Nullable<BigInt>,
        error -> Nullable<Text>,
        requested_by -> Nullable<Guid>,
        started_at -> Instant,
        updated_at -> Instant,
        finished_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `work`.
    jobs (name) {
        name -> Text,
        holder -> Nullable<Guid>,
        leased_until -> Nullable<Instant>,
        started_at -> Nullable<Instant>,
        finished_at -> Nullable<Instant>,
        succeeded_at -> Nullable<Instant>,
        failures -> BigInt,
        error -> Nullable<Text>,
        retry_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `audit`.
    audit_chain (name) {
        name -> Text,
        sequence -> BigInt,
        hash -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `ledger::accounting`.
    fx_rates (id) {
        id -> Guid,
        month -> Date,
        base -> Text,
        quote -> Text,
        rate -> BigInt,
        published_at -> Instant,
        published_by -> Nullable<Guid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `ledger::accounting`.
    closed_months (month) {
        month -> Date,
        closed_at -> Instant,
        closed_by -> Nullable<Guid>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `earnings::statements`.
    statements (partner_id, id) {
        id -> Guid,
        partner_id -> Guid,
        month -> Date,
        closed_at -> Instant,
        sha256 -> Text,
        content -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `earnings::statements`.
    statement_months (month) {
        month -> Date,
        statements -> BigInt,
        sha256 -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `earnings::closing`.
    month_closings (month) {
        month -> Date,
        report -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `sales::transactions`.
    calculation_backlog (partner_id) {
        partner_id -> Guid,
        from_day -> Date,
        cause -> Text,
        failure -> Nullable<Text>,
        failed_at -> Nullable<Instant>,
        waits_since -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `earnings::calculation`.
    calculation_runs (id) {
        id -> Guid,
        partner_id -> Nullable<Guid>,
        state -> Text,
        done -> BigInt,
        total -> BigInt,
        sales -> BigInt,
        earnings -> BigInt,
        ineligible_records -> BigInt,
        put_aside -> BigInt,
        error -> Nullable<Text>,
        requested_by -> Nullable<Guid>,
        started_at -> Instant,
        updated_at -> Instant,
        finished_at -> Nullable<Instant>,
        revision -> BigInt,
        asked_again -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `earnings::calculation`.
    earnings (partner_id, id) {
        id -> Guid,
        enrollment_id -> Guid,
        partner_id -> Guid,
        version -> Integer,
        lever -> Text,
        grain -> Text,
        transaction_id -> Nullable<Guid>,
        purchase_id -> Nullable<Guid>,
        customer_id -> Nullable<Text>,
        earned_in -> Date,
        posted_in -> Date,
        currency -> Text,
        base -> BigInt,
        net -> BigInt,
        volume -> BigInt,
        baseline -> BigInt,
        slices -> Nullable<Document>,
        unrounded -> Text,
        whole -> BigInt,
        cap_balance -> Nullable<BigInt>,
        posted_before -> BigInt,
        corrects -> BigInt,
        amount -> BigInt,
        rebate -> BigInt,
        coop -> BigInt,
        cause -> Text,
        cause_id -> Nullable<Guid>,
        calculated_at -> Instant,
        by_rate -> Nullable<Document>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `earnings::calculation`.
    ineligible_records (partner_id, id) {
        id -> Guid,
        enrollment_id -> Guid,
        partner_id -> Guid,
        version -> Integer,
        lever -> Text,
        grain -> Text,
        transaction_id -> Nullable<Guid>,
        purchase_id -> Nullable<Guid>,
        customer_id -> Nullable<Text>,
        earned_in -> Date,
        code -> Text,
        bought_on -> Nullable<Date>,
        curable -> Bool,
        capped -> Nullable<BigInt>,
        currency -> Nullable<Text>,
        recorded_at -> Instant,
        cured_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `earnings::calculation`.
    calculated_enrollments (partner_id, enrollment_id) {
        partner_id -> Guid,
        enrollment_id -> Guid,
        through -> Date,
        last_seen -> Nullable<Guid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `earnings::calculation`.
    lever_volumes (partner_id, enrollment_id, lever, month) {
        partner_id -> Guid,
        enrollment_id -> Guid,
        lever -> Text,
        month -> Date,
        counted -> BigInt,
        given -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `earnings::calculation`.
    cap_uses (partner_id, enrollment_id, lever, holder) {
        partner_id -> Guid,
        enrollment_id -> Guid,
        lever -> Text,
        holder -> Text,
        used -> BigInt,
        trillionths -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `earnings::calculation`.
    cap_months (partner_id, enrollment_id, month, lever, holder) {
        partner_id -> Guid,
        enrollment_id -> Guid,
        lever -> Text,
        month -> Date,
        holder -> Text,
        used -> BigInt,
        trillionths -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `earnings::calculation`.
    posted_groups (partner_id, enrollment_id, month, lever, origin, currency) {
        partner_id -> Guid,
        enrollment_id -> Guid,
        month -> Date,
        lever -> Text,
        origin -> Text,
        currency -> Text,
        version -> Integer,
        base -> BigInt,
        unrounded -> Text,
        amount -> BigInt,
        rebate -> BigInt,
        record_id -> Nullable<Guid>,
        by_rate -> Nullable<Document>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `earnings::calculation`.
    lever_months (partner_id, enrollment_id, posted_in, version, lever, earned_in, currency) {
        partner_id -> Guid,
        enrollment_id -> Guid,
        posted_in -> Date,
        version -> Integer,
        lever -> Text,
        earned_in -> Date,
        currency -> Text,
        earnings -> BigInt,
        base -> BigInt,
        amount -> BigInt,
        rebate -> BigInt,
        coop -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `earnings::calculation`.
    lever_rates (partner_id, enrollment_id, posted_in, version, lever, earned_in, currency, rate) {
        partner_id -> Guid,
        enrollment_id -> Guid,
        posted_in -> Date,
        version -> Integer,
        lever -> Text,
        earned_in -> Date,
        currency -> Text,
        rate -> BigInt,
        base -> BigInt,
        amount -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `earnings::calculation`.
    ineligible_months (partner_id, enrollment_id, posted_in, version, lever, earned_in, code, currency) {
        partner_id -> Guid,
        enrollment_id -> Guid,
        posted_in -> Date,
        version -> Integer,
        lever -> Text,
        earned_in -> Date,
        code -> Text,
        currency -> Text,
        records -> BigInt,
        cured -> BigInt,
        billed -> BigInt,
        capped -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `ledger::accounting`.
    rebates (partner_id, id) {
        id -> Guid,
        enrollment_id -> Guid,
        partner_id -> Guid,
        posted_in -> Date,
        currency -> Text,
        earned -> BigInt,
        adjusted -> BigInt,
        coop -> BigInt,
        state -> Text,
        state_reason -> Nullable<Text>,
        state_comment -> Nullable<Text>,
        state_since -> Nullable<Date>,
        as_of -> Instant,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
        converted -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `ledger::accounting`.
    coop_funds (partner_id, id) {
        id -> Guid,
        partner_id -> Guid,
        enrollment_id -> Guid,
        half_year -> Date,
        last_month -> Date,
        currency -> Text,
        state -> Text,
        earned -> BigInt,
        converted -> BigInt,
        claimable -> BigInt,
        planned -> BigInt,
        committed -> BigInt,
        paid -> BigInt,
        forfeited -> BigInt,
        remaining -> BigInt,
        converted_in -> Nullable<Date>,
        reminded_days -> Nullable<Integer>,
        as_of -> Instant,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
        plan_id -> Nullable<Guid>,
        planned_for -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `ledger::adjustments`.
    adjustments (partner_id, id) {
        id -> Guid,
        enrollment_id -> Guid,
        partner_id -> Guid,
        amount -> BigInt,
        currency -> Text,
        earned_in -> Date,
        posted_in -> Nullable<Date>,
        reason_code -> Text,
        comment -> Text,
        state -> Text,
        proposed_by -> Nullable<Guid>,
        decided_by -> Nullable<Guid>,
        decision_comment -> Nullable<Text>,
        decided_at -> Nullable<Instant>,
        dispute_id -> Nullable<Guid>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `ledger::accounting`.
    ledger_transfers (partner_id, id) {
        id -> Guid,
        partner_id -> Guid,
        enrollment_id -> Guid,
        month -> Date,
        currency -> Text,
        debit -> Text,
        credit -> Text,
        amount -> BigInt,
        cause -> Text,
        cause_id -> Nullable<Guid>,
        posted_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::payment_runs`.
    payment_runs (id) {
        id -> Guid,
        month -> Date,
        currency -> Nullable<Text>,
        paid_in -> Date,
        reissues -> Nullable<Guid>,
        state -> Text,
        position -> Nullable<Guid>,
        done -> BigInt,
        total -> BigInt,
        totals -> Document,
        created_by -> Nullable<Guid>,
        decided_by -> Nullable<Guid>,
        decided_at -> Nullable<Instant>,
        decision_comment -> Nullable<Text>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::payments`.
    payments (partner_id, id) {
        id -> Guid,
        partner_id -> Guid,
        run_id -> Guid,
        currency -> Text,
        state -> Text,
        reconciliation -> Text,
        document_kind -> Text,
        document_number -> Nullable<BigInt>,
        gross -> BigInt,
        withheld -> BigInt,
        withholding_rate_id -> Guid,
        net -> BigInt,
        replaces -> Nullable<Guid>,
        sent_on -> Nullable<Date>,
        settled_on -> Nullable<Date>,
        state_code -> Nullable<Text>,
        state_comment -> Nullable<Text>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
        file_id -> Nullable<Guid>,
        file_group -> Nullable<Text>,
        bank_reference -> Nullable<Text>,
        statement_id -> Nullable<Guid>,
        statement_entry -> Nullable<BigInt>,
        payout_revision -> Nullable<BigInt>,
        execution_on -> Nullable<Date>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::payments`.
    payment_lines (partner_id, payment_id, record_id) {
        partner_id -> Guid,
        payment_id -> Guid,
        rebate_id -> Nullable<Guid>,
        enrollment_id -> Guid,
        posted_in -> Date,
        amount -> BigInt,
        withheld -> BigInt,
        set_off -> BigInt,
        live -> Bool,
        record_id -> Guid,
        claim_id -> Nullable<Guid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::payments`.
    payment_documents (kind) {
        kind -> Text,
        last_number -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::sealed_files`.
    bank_file_pieces (id) {
        id -> Guid,
        content_id -> Guid,
        place -> BigInt,
        bytes -> Binary,
        is_whole -> Bool,
        kept_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::payment_files`.
    payment_files (id) {
        id -> Guid,
        run_id -> Guid,
        payer_account_id -> Guid,
        currency -> Text,
        execution_on -> Date,
        state -> Text,
        payments -> BigInt,
        total -> BigInt,
        xml_content_id -> Nullable<Guid>,
        xml_bytes -> Nullable<BigInt>,
        xml_sha256 -> Nullable<Text>,
        csv_content_id -> Guid,
        csv_bytes -> BigInt,
        csv_sha256 -> Text,
        downloaded_at -> Nullable<Instant>,
        sent_on -> Nullable<Date>,
        withdrawal_reason -> Nullable<Text>,
        created_by -> Nullable<Guid>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::bank_reports`.
    bank_reports (id) {
        id -> Guid,
        kind -> Text,
        payment_file_id -> Nullable<Guid>,
        sha256 -> Text,
        bytes -> BigInt,
        bank_id -> Nullable<Text>,
        state -> Text,
        entries -> BigInt,
        position -> BigInt,
        within -> Nullable<Guid>,
        changed -> BigInt,
        unchanged -> BigInt,
        exceptions -> BigInt,
        created_by -> Nullable<Guid>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
        next_try_at -> Nullable<Instant>,
        problem -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::bank_reports`.
    bank_exceptions (id) {
        id -> Guid,
        report_id -> Guid,
        entry -> BigInt,
        reason -> Text,
        payment_id -> Nullable<Guid>,
        end_to_end_id -> Nullable<Text>,
        bank_reference -> Nullable<Text>,
        status -> Nullable<Text>,
        codes -> Document,
        bank_words -> Nullable<Text>,
        direction -> Nullable<Text>,
        amount -> Nullable<Text>,
        booked_on -> Nullable<Date>,
        state -> Text,
        resolution -> Nullable<Text>,
        resolved_by -> Nullable<Guid>,
        resolved_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `ledger::forfeitures`.
    forfeitures (partner_id, id) {
        id -> Guid,
        partner_id -> Guid,
        enrollment_id -> Guid,
        currency -> Text,
        cause -> Text,
        counts_from -> Date,
        amount -> BigInt,
        state -> Text,
        announced_on -> Date,
        forfeits_on -> Date,
        ended_on -> Nullable<Date>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::disputes`.
    disputes (partner_id, id) {
        id -> Guid,
        partner_id -> Guid,
        subject -> Text,
        subject_id -> Guid,
        enrollment_id -> Nullable<Guid>,
        earned_in -> Date,
        currency -> Text,
        figure -> BigInt,
        expected -> BigInt,
        reason -> Text,
        state -> Text,
        due_on -> Nullable<Date>,
        days_left -> BigInt,
        held_rebate_id -> Nullable<Guid>,
        questions -> Document,
        answers -> Document,
        adjustment_id -> Nullable<Guid>,
        escalation_reason -> Nullable<Text>,
        raised_by -> Nullable<Guid>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `access`.
    guards (name) {
        name -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::payer_accounts`.
    payer_accounts (id) {
        id -> Guid,
        name -> Text,
        holder -> Text,
        holder_latin -> Nullable<Text>,
        account -> Nullable<Binary>,
        account_number -> Nullable<Binary>,
        routing_kind -> Nullable<Text>,
        routing_number -> Nullable<Text>,
        bank_country -> Text,
        bic -> Nullable<Text>,
        address_country -> Text,
        town -> Text,
        street -> Nullable<Text>,
        building_number -> Nullable<Text>,
        post_code -> Nullable<Text>,
        address_line_1 -> Nullable<Text>,
        address_line_2 -> Nullable<Text>,
        currency -> Text,
        creditor_agent_without_bic -> Text,
        batch_booking -> Bool,
        speaks_pain001 -> Bool,
        state -> Text,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::withholding`.
    withholding_rates (id) {
        id -> Guid,
        payee_country -> Nullable<Text>,
        form_state -> Text,
        earning -> Text,
        kind -> Text,
        rate -> BigInt,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        created_at -> Instant,
        created_by -> Nullable<Guid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::coop_claims`.
    coop_claims (partner_id, id) {
        id -> Guid,
        partner_id -> Guid,
        fund_id -> Guid,
        enrollment_id -> Guid,
        activity -> Text,
        activity_from -> Date,
        activity_to -> Date,
        description -> Text,
        web_address -> Nullable<Text>,
        metric -> Nullable<BigInt>,
        people -> Nullable<Integer>,
        expenses -> Document,
        currency -> Text,
        state -> Text,
        committed -> BigInt,
        approved -> Nullable<BigInt>,
        due_on -> Nullable<Date>,
        review_due_on -> Nullable<Date>,
        submitted_at -> Nullable<Instant>,
        decided_at -> Nullable<Instant>,
        reviewer_id -> Nullable<Guid>,
        proposer_id -> Nullable<Guid>,
        is_risky -> Bool,
        risks -> Document,
        history -> Document,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
        payment_id -> Nullable<Guid>,
        held_because -> Nullable<Text>,
        plan_id -> Nullable<Guid>,
        from_plan -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::coop_plans`.
    coop_plans (partner_id, id) {
        id -> Guid,
        partner_id -> Guid,
        fund_id -> Guid,
        enrollment_id -> Guid,
        currency -> Text,
        state -> Text,
        activities -> Document,
        budget -> BigInt,
        submitted_at -> Nullable<Instant>,
        decided_at -> Nullable<Instant>,
        decided_by -> Nullable<Guid>,
        reason -> Nullable<Text>,
        created_at -> Instant,
        created_by -> Nullable<Guid>,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::coop_claims`.
    coop_proofs (partner_id, id) {
        id -> Guid,
        partner_id -> Guid,
        claim_id -> Guid,
        expense_id -> Nullable<Guid>,
        kind -> Text,
        name -> Text,
        media_type -> Text,
        bytes -> BigInt,
        sha256 -> Text,
        uploaded_by -> Nullable<Guid>,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::coop_proofs`.
    coop_loose_objects (partner_id, id) {
        partner_id -> Guid,
        id -> Guid,
        since -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::coop_claims`.
    coop_claim_marks (kind, value, claim_id, day) {
        kind -> Text,
        value -> Text,
        claim_id -> Guid,
        day -> Date,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::coop_audits`.
    coop_audit_draws (program_id, month) {
        program_id -> Guid,
        month -> Date,
        id -> Guid,
        size -> Integer,
        claims -> Document,
        drawn_at -> Instant,
        completed_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::platform::db::types::*;

    /// Owned by `payouts::coop_audits`.
    coop_audits (partner_id, id) {
        id -> Guid,
        partner_id -> Guid,
        claim_id -> Guid,
        program_id -> Guid,
        month -> Date,
        currency -> Text,
        paid -> BigInt,
        state -> Text,
        due_on -> Date,
        recovered -> Nullable<BigInt>,
        adjustment_id -> Nullable<Guid>,
        comment -> Nullable<Text>,
        decided_by -> Nullable<Guid>,
        decided_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
        revision -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    guards,
    partners,
    partner_numbers,
    partner_periods,
    users,
    user_counts,
    signing_keys,
    idempotency_keys,
    audit_events,
    agreements,
    agreement_numbers,
    competencies,
    attainments,
    programs,
    program_versions,
    program_periods,
    evaluations,
    transactions,
    transaction_records,
    transaction_numbers,
    unpublished_transactions,
    transaction_imports,
    transaction_import_errors,
    transaction_import_rows,
    transaction_import_pieces,
    payout_profiles,
    tax_profiles,
    profile_approvals,
    enrollments,
    enrollment_changes,
    notifications,
    sessions,
    refresh_tokens,
    sign_in_throttles,
    known_addresses,
    password_reset_requests,
    password_resets,
    second_factors,
    recovery_codes,
    api_clients,
    api_client_secrets,
    partner_setups,
    deliveries,
    reminders,
    job_runs,
    jobs,
    audit_chain,
    fx_rates,
    payer_accounts,
    withholding_rates,
    closed_months,
    statements,
    statement_months,
    month_closings,
    calculation_backlog,
    calculation_runs,
    earnings,
    ineligible_records,
    calculated_enrollments,
    lever_volumes,
    cap_uses,
    cap_months,
    posted_groups,
    lever_months,
    lever_rates,
    ineligible_months,
    rebates,
    coop_funds,
    adjustments,
    ledger_transfers,
    payment_runs,
    payments,
    payment_lines,
    payment_documents,
    bank_file_pieces,
    payment_files,
    bank_reports,
    bank_exceptions,
    disputes,
    forfeitures,
    coop_claims,
    coop_proofs,
    coop_loose_objects,
    coop_claim_marks,
    coop_plans,
    coop_audit_draws,
    coop_audits,
);

/// Where a table that belongs to no partner stands once partners are spread over several machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Copied to every machine: units of partners read the table, and few units write to it.
    Reference,
    /// On one machine.
    Central,
}

/// Every table that belongs to no partner. The key of each other table begins with the partner, and with it the table
/// can be spread.
pub const SHARED_TABLES: &[(&str, Placement)] = &[
    ("partner_numbers", Placement::Reference),
    ("competencies", Placement::Reference),
    ("users", Placement::Reference),
    ("sessions", Placement::Reference),
    ("api_clients", Placement::Reference),
    ("unpublished_transactions", Placement::Reference),
    ("programs", Placement::Reference),
    ("program_periods", Placement::Reference),
    ("program_versions", Placement::Reference),
    ("fx_rates", Placement::Reference),
    ("payer_accounts", Placement::Reference),
    ("withholding_rates", Placement::Reference),
    ("closed_months", Placement::Reference),
    ("statement_months", Placement::Reference),
    ("month_closings", Placement::Central),
    ("signing_keys", Placement::Central),
    ("database_kind", Placement::Central),
    ("guards", Placement::Central),
    ("idempotency_keys", Placement::Central),
    ("audit_events", Placement::Central),
    ("audit_chain", Placement::Central),
    ("agreement_numbers", Placement::Central),
    ("refresh_tokens", Placement::Central),
    ("sign_in_throttles", Placement::Central),
    ("known_addresses", Placement::Central),
    ("password_reset_requests", Placement::Central),
    ("password_resets", Placement::Central),
    ("second_factors", Placement::Central),
    ("recovery_codes", Placement::Central),
    ("api_client_secrets", Placement::Central),
    ("notifications", Placement::Central),
    ("deliveries", Placement::Central),
    ("transaction_numbers", Placement::Central),
    ("transaction_imports", Placement::Central),
    ("transaction_import_errors", Placement::Central),
    ("transaction_import_rows", Placement::Central),
    ("transaction_import_pieces", Placement::Central),
    ("calculation_runs", Placement::Central),
    ("payment_runs", Placement::Central),
    ("payment_documents", Placement::Central),
    ("bank_file_pieces", Placement::Central),
    ("payment_files", Placement::Central),
    ("bank_reports", Placement::Central),
    ("bank_exceptions", Placement::Central),
    ("coop_claim_marks", Placement::Central),
    ("coop_audit_draws", Placement::Central),
    ("job_runs", Placement::Central),
    ("jobs", Placement::Central),
];
