import { showFace } from '@/parts/face'
import Plan from './Plan.svelte'

void showFace(Plan)
