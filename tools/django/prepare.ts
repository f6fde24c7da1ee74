/**
 * Makes the Django environments before any test runs. Without it the first test file that needs one spends its own time limit
 * on a download. What is missing is said by the tests that are skipped for it.
 */
import { DJANGO_REQUIREMENTS, type TestedDjango, prepareDjango } from './environment.js'

for (const version of Object.keys(DJANGO_REQUIREMENTS) as TestedDjango[]) prepareDjango(version)
